coreutils --list | sort >list; ls /bin | sort | comm -23 list - ; wc -l <list
