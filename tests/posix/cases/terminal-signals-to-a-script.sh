/tests/typist sh -c 'trap "echo caught" INT; i=0; while test $i -lt 3; do sh -c "echo sleeping; exec sleep 1000"; i=$((i+1)); echo turn $i; done; echo over; sleep 0.3' <<'E'
see sleeping
type \x03
see turn 1
see sleeping
type \x03
see turn 2
see sleeping
type \x03
see over
end
E
