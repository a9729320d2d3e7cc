(exit 9) & p=$!; wait $p; echo $?; wait $p; [ $? -eq 9 ] || [ $? -le 127 ] && echo known
