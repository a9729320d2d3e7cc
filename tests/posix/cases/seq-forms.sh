seq 3; seq 2 4; seq 1 2 7; seq 5 -2 1; seq -s, 4; seq -w 8 11; seq 0.5 0.5 2; seq -f '%05.1f' 2
