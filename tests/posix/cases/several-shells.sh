for s in sh yash; do $s -c 'echo "one shell: $((6*7))" | tr a-z A-Z'; done
