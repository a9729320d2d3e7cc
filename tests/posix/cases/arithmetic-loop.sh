i=0; s=0; while [ $i -lt 30 ]; do i=$((i+1)); s=$((s+i)); done; echo $s; echo $((9223372036854775807))
