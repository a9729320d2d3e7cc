cat /dev/null; echo x >/dev/null; head -c 3 /dev/zero | od -An -c; echo x >/dev/full; echo $?; head -c 16 /dev/urandom | wc -c; head -c 5 /dev/random | wc -c
