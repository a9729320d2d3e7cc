id -u; id -g; id -un; id -gn; whoami; groups; id guest; id nosuch; echo $?; logname 2>/dev/null; echo $?
