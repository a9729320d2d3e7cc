echo x >a; echo y >b; echo x >c; grep x a b c; grep -h x a c; grep -l x a b c; grep -L x a b c; grep -c x a b; grep -s x missing; echo $?; grep x missing; echo $?
