x=1; sh -c 'echo ${x-none}'; export x; sh -c 'echo $x'; y=2 sh -c 'echo $y'; echo ${y-none}; unset x; echo ${x-none}; readonly z=1; (z=2); echo $?
