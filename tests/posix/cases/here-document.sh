x=value; cat <<E
plain $x $(echo sub) \$x `echo old`
E
cat <<'E'
raw $x $(echo sub)
E
