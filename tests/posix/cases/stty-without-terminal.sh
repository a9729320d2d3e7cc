stty; echo $?
