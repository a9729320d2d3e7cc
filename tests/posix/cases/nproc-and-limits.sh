nproc --all >/dev/null; echo $?; nproc --ignore=1000
