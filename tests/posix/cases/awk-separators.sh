echo 'a,b;c' | awk -F'[,;]' '{ print $3 }'; printf 'a b\n' | awk 'BEGIN { OFS = "-"; ORS = "!\n" } { print $1, $2 }'; printf 'a\nb\n\nc\n' | awk 'BEGIN { RS = "" } { print NR ": " $1 }'
