/tests/typist sh -i <<'E'
see $
type cat\r
rest 100
type hello\r
see hello\r\nhello
type \x04
see $
type cat | cat\r
rest 200
type \x03
see $
type echo after $?\r
see after 386
see $
type sleep 1000\r
rest 200
type \x1c
see $
type echo quit $?\r
see quit 387
see $
type exit\r
end
E
