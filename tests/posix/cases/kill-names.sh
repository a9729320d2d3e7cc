kill -l 9; kill -l 15; /bin/kill -l | head -n 3; kill -l 137; /bin/kill -s NOPE 1; echo $?
