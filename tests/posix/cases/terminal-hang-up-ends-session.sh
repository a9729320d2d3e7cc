/tests/typist sh -c 'trap "echo hup >said; exit 3" HUP; echo ready; while :; do sleep 0.05; done' <<'E'
see ready
E
i=0; while ! test -s said && test $i -lt 100; do sleep 0.05; i=$((i+1)); done; cat said
