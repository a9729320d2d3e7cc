A=1 B=2 env | grep '^[AB]=' | sort; env -i PATH=/bin sh -c 'echo ${HOME-none}'; export LONG=$(printf 'x%.0s' $(seq 5000)); sh -c 'echo ${#LONG}'
