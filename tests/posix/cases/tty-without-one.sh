tty; echo $?; tty -s; echo $?
