touch a b c; mkdir -p d/e; touch d/e/f; rm a; rm d; echo $?; rm -r d; rm missing; echo $?; rm -f missing; echo $?; ls
