awk 'function f(n) { return n < 2 ? n : f(n-1) + f(n-2) } BEGIN { print f(15) }'; awk -v x=5 'BEGIN { print x * 2 }'
