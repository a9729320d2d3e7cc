i=0; while [ $i -lt 50 ]; do /bin/true || echo bad; i=$((i+1)); done; echo $i
