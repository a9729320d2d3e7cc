f=$(mktemp -p . xxXXXX); expr "$f" : '\./xx....$' >/dev/null; stat -c %a $f; d=$(mktemp -d -p .); stat -c '%F %a' $d; mktemp -u -p . abc.XXXXXX | wc -c; mktemp bad; echo $?
