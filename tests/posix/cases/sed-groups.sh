echo 'John Smith' | sed 's/\(.*\) \(.*\)/\2, \1/'; echo 'John Smith' | sed -E 's/(\w+) (\w+)/\2 \1/'; echo abc | sed 's/b/[&]/'; echo aaa | sed 's/a/b/3;s/b/c/'
