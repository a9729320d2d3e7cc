(set -u; echo $nothere; echo b); echo $?
