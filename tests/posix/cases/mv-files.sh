echo 1 >a; mv a b; ls; mkdir d; mv b d; ls d; echo 2 >c; mv -n c d/b; cat d/b; mv missing x; echo $?; mv d e; ls
