printf 'a1\nB2\n  \n_x\n' >f; grep '^[[:upper:]]' f; grep -c '^[[:space:]]*$' f; grep '[[:digit:]]$' f; grep -E '^\w+$' f
