printf 'a\\b c\n' | { read x; echo "$x"; }; printf 'a\\b c\n' | { read -r x; echo "$x"; }; printf 'x:y z\n' | { IFS=: read a b; echo "$b"; }; printf 'no newline' | { read x; echo $? $x; }
