mkdir -p d/e; echo hit >d/1; echo miss >d/2; echo hit >d/e/3; grep -r hit d | sort; grep -rl hit d | sort; grep -r --include=1 hit d
