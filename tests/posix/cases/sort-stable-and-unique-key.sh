printf '1 b\n1 a\n0 c\n' >f; sort -s -k1,1 f; sort -u -k1,1 f
