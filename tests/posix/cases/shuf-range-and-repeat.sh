shuf -i 1-10 | sort -n | paste -sd ' '; shuf -n 0 -e a b; shuf -e only; seq 5 | shuf | wc -l
