expr length hello; expr substr hello 2 3; expr index hello l; expr hello : 'h\(.*\)o'; expr abc : 'x'; echo $?
