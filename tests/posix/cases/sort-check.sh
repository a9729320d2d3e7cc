printf '1\n3\n2\n' >f; sort -c f; echo $?; sort -C f; echo $?; sort f | sort -c; echo $?
