printf 'a\n\nb\n\n\nc\n' | cat -n; printf 'a\n\nb\n\n\nc\n' | cat -b; printf 'a\n\n\n\nc\n' | cat -s
