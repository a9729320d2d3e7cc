for i in 3 1 2; do (sleep 0.$i; exit $i) & eval p$i=$!; done; wait $p1; echo $?; wait $p2; echo $?; wait $p3; echo $?; wait 99999; echo $?
