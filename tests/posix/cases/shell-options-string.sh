sh -c 'echo $0 $1' name arg; echo 'echo from stdin $1' | sh -s -- one; printf 'echo file $0\n' >f.sh; sh f.sh; sh -n f.sh; echo $?
