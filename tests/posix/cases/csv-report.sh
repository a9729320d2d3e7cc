printf 'name,qty,price\nbolt,10,0.5\nnut,20,0.25\nbolt,5,0.5\n' | tail -n +2 | awk -F, '{ q[$1] += $2; v[$1] += $2*$3 } END { for (n in q) printf "%s %d %.2f\n", n, q[n], v[n] }' | sort
