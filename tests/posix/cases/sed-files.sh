seq 3 >f; sed -n 'w out' f; cat out; printf 's/1/one/\ns/2/two/\n' >s; sed -f s f; echo inc >i; sed '2r i' f; sed -s -n '$p' f i
