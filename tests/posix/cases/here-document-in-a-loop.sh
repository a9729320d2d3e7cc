for i in 1 2 3; do cat <<E
item $i
E
done
