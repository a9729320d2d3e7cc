seq 9 >f; split -n l/3 -a 3 --additional-suffix=.txt f p-; ls; cat p-aac.txt
