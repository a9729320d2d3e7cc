echo one >1; echo two >2; echo three >3
cat 1 2 3 - <2; cat 1 missing 3; echo $?
