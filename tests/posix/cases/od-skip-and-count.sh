seq 20 >f; od -An -c -j 3 -N 5 f; od -v -An -tu1 -w4 -N 8 f
