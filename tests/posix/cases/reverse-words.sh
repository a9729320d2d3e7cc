echo 'one two three' | tr ' ' '\n' | tac | paste -sd ' '; echo hello | fold -w1 | tac | tr -d '\n'; echo
