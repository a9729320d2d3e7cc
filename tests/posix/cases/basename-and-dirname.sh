basename /usr/lib/x.so; basename x.so .so; basename -a a/b c/d; basename -s .c a.c b.c; dirname /usr/lib/x /a b; dirname /
