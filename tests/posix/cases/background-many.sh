for i in $(seq 40); do (exit $((i % 7))) & done; wait; echo $?; jobs
