sh -c 'trap "echo usr1; exit 0" USR1; echo ready >r; while :; do sleep 0.02; done' & p=$!
while ! test -s r; do sleep 0.01; done; kill -USR1 $p; wait $p; echo $?
for s in HUP INT QUIT ILL ABRT FPE SEGV PIPE ALRM TERM USR1 USR2 BUS SYS TRAP XCPU XFSZ VTALRM PROF KILL; do sh -c "kill -$s \$\$"; echo $s $?; done 2>/dev/null
for s in CHLD CONT URG WINCH; do sh -c "kill -$s \$\$; echo alive"; done
sh -c 'trap "" TERM; kill -TERM $$; echo ignored'; sh -c 'trap "echo exit" EXIT; kill -TERM $$' ; echo $?
env --ignore-signal=PIPE sh -c 'yes | head -n 1' 2>/dev/null | head -n 1; timeout -s KILL 0.1 sleep 10; echo $?; timeout --preserve-status 0.1 sleep 10; echo $?; timeout -k 0.1 0.1 sh -c 'trap "" TERM; while :; do sleep 0.02; done'; echo $?
