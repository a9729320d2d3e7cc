printf 'Ochre\n' | od -An -tx1 | tr -d ' \n' | fold -w2 | while read h; do printf "\\$(printf %03o 0x$h)"; done
