printf 'b\na\nC\nc\nB\n' >f; sort f; sort -r f; sort -f f; sort -u f f
