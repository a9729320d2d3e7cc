printf "$(seq 0 255 | awk '{ printf "\\%03o", $1 }')" >f; wc -c f; sha256sum <f; cat f | tac | wc -c; od -An -tu1 f | tail -n 1; sort f | sha256sum
