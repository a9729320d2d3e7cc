seq 10000 | xargs echo | wc -w; seq 10000 | xargs -s 2000 echo | wc -l; seq 100 | xargs -L 10 echo | wc -l
