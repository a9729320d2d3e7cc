printf 'a\n==\nb\n==\nc\n' >f; csplit -s f '/==/' '{*}'; for f in xx*; do echo "[$f]"; cat $f; done
