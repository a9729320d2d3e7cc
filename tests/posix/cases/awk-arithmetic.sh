awk 'BEGIN { print 1+2*3, 7%3, 2^10, 7/2, int(7/2), -3 }'; awk 'BEGIN { printf "%.3f %d %s %5.1f|\n", 3.14159, 42.9, "str", 2.25 }'; seq 100 | awk '{ s += $1 } END { print s, s/NR }'
