cat /etc/passwd | grep root | wc -l; cut -d: -f1,3 /etc/passwd; grep localhost /etc/hosts; wc -l </etc/group; ls /etc
