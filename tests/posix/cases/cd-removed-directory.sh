mkdir d; cd d; rmdir ../d; /bin/pwd; echo $?; ls; touch f; echo $?; cd ..; ls
