n=0; trap 'n=$((n+1))' USR2; for i in 1 2 3 4 5; do kill -USR2 $$; done; echo $n
