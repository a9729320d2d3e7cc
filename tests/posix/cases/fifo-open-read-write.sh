mkfifo p; exec 3<>p; echo hello >&3; read x <&3; echo $x; exec 3>&-
