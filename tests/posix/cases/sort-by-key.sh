printf 'c 3 x\na 2 y\nb 10 z\n' >f; sort -k2 f; sort -k2n f; sort -k2,2nr f; sort -t ' ' -k3 f
