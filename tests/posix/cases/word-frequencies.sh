cat <<'E' >t
the cat sat on the mat the cat
a dog and a cat
E
tr -s ' ' '\n' <t | sort | uniq -c | sort -k1,1nr -k2 | head -n 4
