set -- $(seq 5000); echo $#; echo "$@" | wc -w; /bin/echo "$@" | wc -c
