trap 'echo caught' USR1; (sleep 0.5; kill -USR1 $$) & sleep 5 & p=$!; wait $p; s=$?; [ $s -gt 128 ] && echo interrupted; kill $p
