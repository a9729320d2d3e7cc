touch a b c d; find . \( -name a -o -name b \) | sort; find . -type f -not -name a | sort; find . -name a , -name b | sort; find . -type f -name '[cd]' -a -name c
