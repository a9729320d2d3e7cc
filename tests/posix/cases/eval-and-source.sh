eval 'x=5; echo $x'; echo 'y=7; echo sourced' >s; . ./s; echo $y; eval 'exit 3' ; echo unreachable
