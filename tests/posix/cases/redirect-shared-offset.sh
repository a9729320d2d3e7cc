( echo a; echo b; ) >f; ( echo c >&3; echo d >&3 ) 3>>f; cat f; { read a; read b; echo "$b$a"; } <f; (cat; cat) <f | wc -l
