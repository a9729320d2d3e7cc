echo 1 >a; echo 2 >b; mkdir d; cp a b d; cat d/a d/b; cp b a; cat a; cp a missing/x; echo $?; cp d e; echo $?; cp -n b d/a; cat d/a
