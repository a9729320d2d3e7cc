factor 1 12 97 1001 18446744073709551615; echo 30 | factor; factor x; echo $?
