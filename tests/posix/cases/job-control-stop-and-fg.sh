/tests/typist sh -i <<'E'
see $
type sh -c 'echo ready; exec sleep 1000'\r
see ready\r\n
type \x1a
see Stopped
see $
type jobs\r
see Stopped
see $
type fg\r
see sleep
rest 200
type \x03
see $
type echo last $?\r
see last 386
see $
type exit 5\r
end
E
