echo x | grep '['; echo $?; grep; echo $?; echo x | grep -E '('; echo $?
