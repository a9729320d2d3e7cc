times >/dev/null; echo $?
