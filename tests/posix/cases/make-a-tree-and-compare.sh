mkdir -p s/x/y; echo 1 >s/a; echo 2 >s/x/b; echo 3 >s/x/y/c; cp -r s t; (cd s; find . -type f | sort | xargs sha256sum) >m; (cd t; sha256sum -c ../m)
