sleep 0; sleep 0.01; sleep 0.01s 0.01s; echo $?; sleep x; echo $?
