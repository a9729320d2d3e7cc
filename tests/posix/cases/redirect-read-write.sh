printf 'abcdef' >f; exec 3<>f; read -r x <&3; printf 'XY' >&3; exec 3>&-; cat f
