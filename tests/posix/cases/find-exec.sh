touch a b c; find . -type f -exec echo f {} \; | sort; find . -type f -exec echo {} + | wc -w; find . -name a -exec false \; -print; find . -name b -delete; ls
