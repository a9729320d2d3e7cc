( exec >&-; echo lost ); echo $?; true | cat; cat <&-; echo $?
