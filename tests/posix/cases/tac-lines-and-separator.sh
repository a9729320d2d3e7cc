seq 5 | tac; printf 'a,b,c,' | tac -s ,; echo; printf 'x1y2z' | tac -r -s '[0-9]'
