x=$(echo a; echo b; echo); echo "$x"; echo `echo nested \`echo deep\``; echo $(echo $(echo $(echo 3))); y=$(false); echo $?; echo "$(seq 3)"
