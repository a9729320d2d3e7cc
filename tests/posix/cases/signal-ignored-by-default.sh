for s in CHLD URG WINCH CONT; do sh -c "kill -$s \$\$; echo $s alive"; done
