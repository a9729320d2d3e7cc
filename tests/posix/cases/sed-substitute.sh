echo 'one two one' | sed 's/one/1/'; echo 'one two one' | sed 's/one/1/g'; echo 'one two one' | sed 's/one/1/2'; echo 'Hello' | sed 's/hello/x/I'; echo a/b | sed 's|/|:|'
