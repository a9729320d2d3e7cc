printf 'foo bar\nfoobar\nbar\n' >f; grep -w bar f; grep -x bar f; grep -o 'o*b' f; grep -m 1 bar f; grep -q foo f; echo $?
