x=$(seq 20000); echo "$x" | wc -lc; echo "${#x}"
