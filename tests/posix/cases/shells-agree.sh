cat >s <<'E'
f() { echo "f $# $*"; return 3; }; f a 'b c'; echo $?
for i in 1 2 3; do case $i in 2) continue;; esac; echo $i; done
x=abc.def; echo ${x%.*} ${x#*.} ${#x} ${y:-none} ${x:+some}
echo $((7/2)) $((7%3)) $((1<<4)) $((x=3, x*x)) 2>/dev/null || echo no comma
a=1; (a=2; echo $a); echo $a; { a=3; }; echo $a
set -- one two three; shift; echo $1 $#; IFS=:; set -- a:b; echo $1; y=a:b; echo $y; unset IFS
echo a | while read l; do echo "got $l"; done; echo x >f; read z <f; echo $z
trap 'echo bye' EXIT; printf '%s-%d\n' n 5; test -f f && echo there; ! false && echo not
until [ ${n:=0} -ge 2 ]; do n=$((n+1)); done; echo $n; eval 'echo ev$n'; echo "$(echo "n e s t")" '$n'
sh -c 'exit 4'; echo $?; (exit 9); echo $?; true | false; echo $?; command -v cd >/dev/null && echo cd
E
for shell in yash brush; do echo "$shell:"; $shell s; done
