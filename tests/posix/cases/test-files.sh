echo x >f; mkdir d; ln -s f l; mkfifo p
for t in -e -f -d -L -h -p -s -r -w -x; do for n in f d l p none; do /bin/test $t $n && echo "$t $n"; done; done
