pathchk good; echo $?; pathchk -p 'bad name*'; echo $?; pathchk "$(printf 'x%.0s' $(seq 300))"; echo $?
