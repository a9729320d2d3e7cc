seq 20 >f; grep -A 2 5 f; grep -B 1 '^10$' f; grep -C 1 '^15$' f; grep -n -A1 '^3$' f
