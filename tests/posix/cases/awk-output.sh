seq 4 >f; awk '{ print > ($1 % 2 ? "odd" : "even") }' f; cat odd even; awk 'BEGIN { print "b\na" | "sort"; close("sort") }' | cat; awk 'BEGIN { "echo sub" | getline x; print x; system("echo sys") }'
