echo 'Hello, World' | tr 'A-Za-z' 'N-ZA-Mn-za-m' | tee r | tr 'A-Za-z' 'N-ZA-Mn-za-m'; cat r
