printf 'v1.10\nv1.9\nv1.2\n' | sort -V; printf 'Mar\nJan\nDec\n' | sort -M
