seq 100 >f; tail -n 3 f; tail -n +98 f; tail -c 6 f; tail -c +287 f; tail -3 f
