/tests/typist sh -i <<'E' | sed 's/^\[1\] [0-9]*$/[1] PID/'
see $
type cat &\r
see $
type until jobs >j; grep -q Stopped j; do sleep 0.1; done; echo it stops\r
see \nit stops
see $
type fg\r
see \ncat
type line\r
see line\r\nline
type \x04
see $
type exit\r
end
E
