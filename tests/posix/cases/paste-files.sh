seq 3 >a; seq 4 6 >b; paste a b; paste -d , a b; paste -s a b; paste -s -d '+\n' a; paste - - <b
