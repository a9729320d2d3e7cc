echo 'Hello, World 123' | tr a-z A-Z; echo 'aabbcc' | tr -s a-c; echo 'a1b2' | tr -d 0-9; echo 'a1b2' | tr -cd '0-9\n'
