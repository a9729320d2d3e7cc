x=1; (x=2; cd /; exit 4); echo $? $x; pwd | xargs basename; (umask 077; umask); umask
