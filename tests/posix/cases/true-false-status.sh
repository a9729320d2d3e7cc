true; echo $?; false; echo $?; /bin/true --help >/dev/null; echo $?; /bin/false; echo $?
