mkfifo req rep; (while read x; do echo $((x*x)); done <req >rep) & exec 3>req 4<rep; for i in 2 3 4; do echo $i >&3; read y <&4; echo $y; done; exec 3>&- 4<&-; wait
