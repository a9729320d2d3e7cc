x='a  b'; echo $x; echo "$x"; echo '$x' "\$x" \$x; echo "a'b" 'a"b'; echo a\
b; printf '<%s>' "$@" "" 'c d'; echo
