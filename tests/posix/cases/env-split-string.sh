env -S 'A=1 printenv A'; env -i -S 'printf "%s\n" a b'
