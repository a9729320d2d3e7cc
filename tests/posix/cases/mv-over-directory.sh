mkdir a b; touch a/x b/y; mv a b; ls b; mkdir c; touch f; mv f c; ls c; mv -T c b; echo $?; mv b b; echo $?
