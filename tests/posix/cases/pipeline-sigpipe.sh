yes | head -n 1; seq 1000000 | head -n 2; (seq 1000000; echo "seq $?" >&2) 2>err | head -n 1; until test -s err; do sleep 0.05; done; cat err
