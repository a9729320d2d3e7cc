echo aaa | sed ':x;s/a/b/;tx'; seq 5 | sed -n '/3/b;p'; printf '1\n22\n' | sed ':a;s/^.\{1,3\}$/0&/;ta'
