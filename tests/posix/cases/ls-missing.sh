ls missing; echo $?; touch f; ls f missing; echo $?
