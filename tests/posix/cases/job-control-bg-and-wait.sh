/tests/typist sh -i <<'E'
see $
type sh -c 'echo ready; while ! test -e go; do sleep 0.01; done; exit 7'\r
see ready\r\n
type \x1a
see Stopped
see $
type bg\r
see $
type jobs\r
see Running
see $
type >go; wait %1; echo waited $?\r
see waited 7
see $
type \x04
end
E
