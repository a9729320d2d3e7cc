/tests/typist cat <<'E'
rest 100
type abx\x7fc\r
see abc\r\n
type one two\x17three\r
see one three\r\n
type wrong\x15right\r
see right\r\n
type a\tb\r
see a	b\r\n
type no end\x04\x04
end
E
