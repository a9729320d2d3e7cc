printf '1\n3\n' >a; printf '2\n4\n' >b; sort -m a b; sort -r -o a a; cat a
