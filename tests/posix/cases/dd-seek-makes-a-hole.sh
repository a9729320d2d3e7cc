printf end | dd of=f bs=1 seek=100000 status=none; wc -c <f; tr -d '\0' <f; echo; head -c 100000 f | tr -d '\0' | wc -c
