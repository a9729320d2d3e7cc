/tests/typist cat <<'E'
rest 100
type abx\x7fc\r
see c\r\nabc\r\n
type one two\x17three\r
see three\r\none three\r\n
type wrong\x15right\r
see right\r\nright\r\n
type a\tb\r
see a\tb\r\na\tb\r\n
type no end\x04
see no endno end
type \x04
end
E
