/tests/typist sh -c 'trap "echo caught" INT; echo ready; i=0; while test $i -lt 3; do sleep 1000; i=$((i+1)); echo turn $i; done' <<'E'
see ready
rest 150
type \x03
see turn 1
rest 150
type \x03
see turn 2
rest 150
type \x03
see turn 3
end
E
