set -x; x=1; echo $x >/dev/null; set +x
