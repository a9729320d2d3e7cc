touch f; mkdir d; ls -d d/; cat f/; echo $?; ls f/; echo $?; mkdir e/; rmdir e/; touch g/; echo $?; ln -s d l; ls -d l/; rm l/; echo $?
