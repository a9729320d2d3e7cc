umask 022; mkdir a; mkdir -m 700 b; mkdir -p c/d/e; stat -c '%a %n' a b c/d/e; mkdir a; echo $?; mkdir x/y; echo $?; mkdir -v z
