seq 3 >f; sed -i 's/2/two/' f; cat f; sed -i.bak 1d f; ls; cat f.bak | wc -l
