x=$(head -c 200000 /dev/zero | tr '\0' a); /bin/echo "$x" >/dev/null 2>&1; echo $?
