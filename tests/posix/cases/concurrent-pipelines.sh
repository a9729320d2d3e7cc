for i in 1 2 3 4 5 6; do (seq 2000 | sort -r | sort -n | sha256sum >o$i) & done; wait; cat o* | sort -u
