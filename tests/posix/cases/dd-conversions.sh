echo 'Hello' | dd conv=ucase status=none; echo 'ab' | dd conv=swab status=none; printf 'ab' | dd bs=4 conv=sync status=none | od -An -c
