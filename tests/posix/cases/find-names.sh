mkdir -p a/b; touch a/x.c a/y.h a/b/z.c; find . -name '*.c' | sort; find a -type d | sort; find . -iname 'X*' ; find . -path '*b/*'; find missing; echo $?
