(sleep 0.3; echo done) & p=$!; kill -STOP $p; sleep 0.1; kill -CONT $p; wait $p; echo $?
