i=0; while [ $i -lt 4 ]; do s="${s}0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"; i=$((i+1)); done
cat <<E | wc -c
$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s
$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s$s
E
