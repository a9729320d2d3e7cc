(set -e; echo a; false; echo b); echo $?; (set -e; false || true; if false; then :; fi; echo c); echo $?
