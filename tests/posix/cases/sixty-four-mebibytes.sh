x=$(head -c 65533 /dev/zero | tr '\0' x)
for i in 3 1 4 1 5 9 2 6; do echo "$i $x"; done >a
for i in 1 2 3 4; do cat a a >b; mv b a; done
cat a a a a a a a a >f; rm a
wc -c <f; cat f | sort | uniq | wc; cat f | cksum
