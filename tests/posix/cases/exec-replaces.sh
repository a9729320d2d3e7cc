sh -c 'exec echo replaced; echo not'; (exec >f; echo to file); cat f; sh -c 'exec nosuch; echo not' 2>/dev/null; echo $?
