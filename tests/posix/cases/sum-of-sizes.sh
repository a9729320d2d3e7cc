for i in 1 2 3; do head -c ${i}000 /dev/zero >f$i; done; stat -c %s f* | paste -sd+ | { read e; echo $(($e)); }
