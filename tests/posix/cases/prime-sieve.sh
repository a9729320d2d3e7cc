awk 'BEGIN { n = 100; for (i = 2; i <= n; i++) if (!(i in c)) { printf "%d ", i; for (j = i*i; j <= n; j += i) c[j] } print "" }'
