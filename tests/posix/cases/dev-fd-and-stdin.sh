echo in | cat /dev/stdin; echo in | cat /proc/self/fd/0; { echo out >/dev/stdout; } | cat; { echo err >/dev/stderr; } 2>&1 | cat; exec 3</etc/hostname; cat /dev/fd/3
