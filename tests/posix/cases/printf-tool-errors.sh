/bin/printf '%d\n' abc; echo $?; /bin/printf '%d\n' 12abc; echo $?; /bin/printf; echo $?
