umask 022; mkfifo p; mkfifo -m 600 q; stat -c '%F %a' p q; mknod n p; stat -c %F n; mknod c c 1 3; stat -c '%F %t %T' c; mkfifo p; echo $?
