timeout 0.2 sleep 10; echo $?; timeout 5 true; echo $?; timeout -s KILL 0.2 sleep 10; echo $?; timeout --preserve-status 0.2 sleep 10; echo $?; timeout 5 sh -c 'exit 7'; echo $?
