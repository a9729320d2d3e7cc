printf '10\n9\n-1\n1.5\n0\n1e3\n' >f; sort -n f; sort -g f; printf '2K\n1M\n3\n' | sort -h
