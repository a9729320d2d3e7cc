seq 3 1; echo $?; seq; echo $?; seq a; echo $?
