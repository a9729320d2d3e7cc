touch f; for i in 1 2 3; do ln f l$i; done; stat -c %h f; rm l1; stat -c %h f; mkdir d d/a d/b; stat -c %h d; ln d x 2>/dev/null; echo $?
