mkdir d; cd d; ls -a; cd .; cd ..; ls -d . ..; rmdir d/.; echo $?; rm -r . 2>/dev/null; echo $?; ls; stat -c %F d/../d/.
