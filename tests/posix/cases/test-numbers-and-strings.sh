/bin/test 1 -lt 2 && echo lt; /bin/test 2 -ge 3 || echo not ge; /bin/[ abc = abc ] && echo eq; /bin/[ -z '' -a -n x ] && echo and; /bin/test a -eq 1; echo $?
