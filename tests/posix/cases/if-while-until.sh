if false; then echo 1; elif true; then echo 2; else echo 3; fi; i=3; until [ $i = 0 ]; do echo $i; i=$((i-1)); done
