sleep 100 & p=$!; /bin/kill -s HUP $p; wait $p; echo $?; sleep 100 & p=$!; /bin/kill -TERM $p; wait $p; echo $?; /bin/kill -0 99999; echo $?
