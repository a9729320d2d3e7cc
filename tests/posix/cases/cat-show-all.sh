printf 'tab\there\001\177\200\377\r\n' | cat -A; printf 'x\ty' | cat -T; printf 'x\n' | cat -E
