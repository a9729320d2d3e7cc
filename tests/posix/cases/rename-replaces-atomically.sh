echo old >f; echo new >g; exec 3<f; mv g f; cat f; cat <&3; mkdir d e; mv d e/; ls e; mv e e/d/x 2>/dev/null; echo $?
