echo hello | sed 'y/el/ip/'; seq 100 | sed 3q; seq 5 | sed '2{p;d;}'; seq 3 | sed =
