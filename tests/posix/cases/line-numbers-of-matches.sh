seq 50 | grep -n 7 | cut -d: -f1 | paste -sd ' '; seq 50 | sed -n '/7/=' | paste -sd ' '
