printf 'a b c\nd e f\n' >f; awk '{ print $2, NF, NR }' f; awk -F: '{ print $1 }' /etc/passwd; awk '{ $2 = "x"; print }' f; awk 'END { print NR }' f
