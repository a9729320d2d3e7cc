mkfifo a b; sort -r <a >ra & wc -l <b >rb & seq 5 | tee a b >/dev/null; wait; cat ra rb
