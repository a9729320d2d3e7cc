mkfifo p; echo through >p & cat p; wait; (for i in 1 2 3; do echo $i; done) >p & while read x; do echo "r$x"; done <p; wait
