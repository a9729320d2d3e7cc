mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3; find . -maxdepth 2 | sort; find . -mindepth 3 | sort; find a -depth -name c; find . -type f -printf '%f %d\n' | sort
