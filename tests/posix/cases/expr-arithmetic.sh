expr 1 + 2; expr 7 / 2; expr 7 % 2; expr 2 '*' 3; expr 5 '>' 3; expr 0; echo $?; expr 1 / 0; echo $?
