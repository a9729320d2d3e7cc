printf '1 a\n2 a\n3 b\n' | uniq -f 1; printf 'xa\nya\nzb\n' | uniq -s 1; printf 'abc1\nabc2\n' | uniq -w 3
