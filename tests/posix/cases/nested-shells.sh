sh -c 'sh -c "sh -c \"sh -c \\\"echo deep; exit 6\\\"\""'; echo $?
