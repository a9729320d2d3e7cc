readlink /proc/self/exe | xargs basename; cat /proc/self/comm; tr '\0' ' ' </proc/self/cmdline; echo; sh -c 'readlink /proc/$$/cwd' | xargs basename; ls /proc/self/fd | head -n 3
