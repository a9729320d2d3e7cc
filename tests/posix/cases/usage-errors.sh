for c in 'cat --nope' 'ls --nope' 'cp' 'mv a' 'head -n x' 'cut' 'tr' 'sort -k0'; do $c </dev/null; echo "$c: $?"; done
