awk 'BEGIN { print 1'; echo $?; awk '{ print }' missing; echo $?
