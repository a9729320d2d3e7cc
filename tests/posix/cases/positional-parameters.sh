set -- a 'b c' d; echo $# $1 "$2"; shift; echo $#; for i; do echo "[$i]"; done; for i in "$@"; do echo "<$i>"; done; echo "$*"; IFS=-; echo "$*"
