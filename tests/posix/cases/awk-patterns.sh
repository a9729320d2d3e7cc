seq 10 >f; awk '/5/' f; awk '$1 > 8' f; awk 'NR==2,NR==4' f; awk 'BEGIN { print "start" } $1%5==0 { print } END { print "end" }' f
