/tests/typist sh -i <<'E'
see $
type cat &\r
see $
rest 300
type jobs\r
see Stopped
see $
type fg\r
see cat
type line\r
see line\r\nline
type \x04
see $
type exit\r
end
E
