seq 4 | sed -n '1!G;h;$p'; seq 4 | sed 'N;s/\n/+/'; printf 'a\nb\n' | sed -n 'H;${x;s/\n/,/g;p;}'
