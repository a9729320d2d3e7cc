seq 10 >f; split -l 4 f; wc -l xa*; split -b 5 -d f part; ls part*; cat part* | sha256sum; sha256sum <f; cat xaa
