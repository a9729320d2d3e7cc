i=0; while test $i -lt 30; do (exit $((i % 7))) & p=$!; wait $p; test $? -eq $((i % 7)) || echo wrong; i=$((i+1)); done; echo one by one
p=; i=0; while test $i -lt 30; do (exit $i) & p="$p $!"; i=$((i+1)); done; i=0; for q in $p; do wait $q; test $? -eq $i || echo wrong $i; i=$((i+1)); done; echo all at once
i=0; while test $i -lt 10; do sleep 0.00$((i % 10)) & i=$((i+1)); done; wait; echo status $?
i=0; while test $i -lt 10; do sleep 100 & p=$!; kill -9 $p; wait $p; test $? -eq 137 -o $? -eq 393 -o $? -eq 1 || echo wrong; i=$((i+1)); done; echo killed
