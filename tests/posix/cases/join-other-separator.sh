printf 'k:1\nl:2\n' >x; printf 'k:x\nl:y\n' >y; join -t : x y; join -t : -1 1 -2 1 -o 2.2 x y
