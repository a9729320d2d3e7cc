x=5; cat <<A; cat <<'B'; cat <<-C
$x $((x*2)) `echo cmd` \$x "q" 'q'
A
$x $((x*2)) `echo cmd` \$x
B
	tabs gone $x
		more
	C
cat <<A - <<B
first
A
second
B
f() { cat <<E
in a function $1
E
}; f one; f two | tr a-z A-Z
while read a b; do echo "$b $a"; done <<E
1 2
3 4
E
cat <<E | sed 's/a/b/' | cat -A
a	a
E
cat <<""
ends at an empty line

cat 3<<E <&3
by number
E
