for i in 1 2 3 4 5 6; do echo "2024-01-0$i level=$([ $((i%3)) -eq 0 ] && echo error || echo info) id=$i"; done | grep error | sed 's/.*id=//' | paste -sd,
