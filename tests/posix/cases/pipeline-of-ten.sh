seq 1000 | cat | tac | tac | sort -n | uniq | head -n 500 | tail -n 100 | grep 5 | wc -l
