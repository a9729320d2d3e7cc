awk 'BEGIN { for (i = 0; i < 20000; i++) print (i * 31) % 1000 }' | sort -n | uniq -c | awk '{ s += $1 } END { print NR, s }'
