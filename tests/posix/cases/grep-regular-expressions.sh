printf 'abc\na.c\nac\naac\na1c\n' >f; grep 'a.c' f; grep -F 'a.c' f; grep -E '^a+c$' f; grep 'a[0-9]c' f; grep -E 'ab|1c' f; grep 'a\{2\}' f
