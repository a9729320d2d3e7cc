seq 20 >f; sort -R f | sort -n | cksum
