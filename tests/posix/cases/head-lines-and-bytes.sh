seq 100 >f; head -n 3 f; head -n -97 f; head -c 7 f; head -c -285 f; head -3 f
