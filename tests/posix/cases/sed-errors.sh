echo x | sed 's/a'; echo $?; sed -n p missing; echo $?; echo x | sed 'k'; echo $?
