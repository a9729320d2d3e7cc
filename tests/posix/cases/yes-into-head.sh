yes | head -n 3; yes a b | head -n 2
