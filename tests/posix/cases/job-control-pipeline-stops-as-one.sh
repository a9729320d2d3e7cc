/tests/typist sh -i <<'E'
see $
type (echo ready >/dev/tty; sleep 1000) | cat | cat\r
see ready\r\n
type \x1a
see Stopped
see $
type kill -9 %1; wait %1; echo killed $?\r
see killed 393
see $
type exit\r
end
E
