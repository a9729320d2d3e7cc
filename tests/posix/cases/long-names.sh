n=$(printf 'n%.0s' $(seq 255)); echo x >$n; cat $n; ls | wc -c; touch ${n}x 2>/dev/null; echo $?; mkdir $n.d 2>/dev/null; echo $?
