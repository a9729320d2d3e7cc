head -c 1048576 /dev/zero | tr '\0' 'a' | cat | sha256sum; head -c 3000000 /dev/zero | wc -c
