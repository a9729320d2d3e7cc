seq 200 | sed 's/$/ x/' | awk '{print $1*2, $2}' | grep -v 0 | sort -rn | uniq | tr x y | cut -d' ' -f1,2 | tail -n +3 | head -n 5
printf '%s\n' b a c | sort | cat -n | sed 's/^ *//' | tr '\t' : | cut -d: -f2 | paste -s -d, | tr , '\n' | tac | nl
yes | head -n 1000 | cat | cat | cat | cat | cat | cat | uniq -c | awk '{print $1}'
seq 10 | tee a | tee b | tee c | tee d | tee e | tee f | tee g | tee h | wc -l; cat a b c d e f g h | sort -n | uniq -c | wc -l
echo 'The quick brown fox' | tr a-z A-Z | rev 2>/dev/null | cat; echo status $?
