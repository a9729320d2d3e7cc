seq 100 >f; dd if=f bs=10 count=2 2>/dev/null; dd if=f bs=1 skip=5 count=4 status=none; echo; dd if=f of=g bs=16 conv=notrunc status=none; sha256sum f g | cut -c-64 | uniq | wc -l
