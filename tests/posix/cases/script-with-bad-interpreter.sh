printf '#!/no/such\n' >s; chmod +x s; ./s 2>/dev/null; echo $?; printf 'echo plain\n' >p; chmod +x p; ./p; mkdir d; ./d 2>/dev/null; echo $?
