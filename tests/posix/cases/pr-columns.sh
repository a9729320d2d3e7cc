seq 6 | pr -t -3 -w 30; seq 3 | pr -t -n
