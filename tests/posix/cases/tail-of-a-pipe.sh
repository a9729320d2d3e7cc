seq 1000 | tail -n 2; printf 'abc' | tail -c 1; seq 20 | tail -n +18
