head -c 1000 /dev/zero | dd bs=100 iflag=fullblock 2>&1 >/dev/null | head -n 2
