cp /bin/yash mine
./mine -c '(echo one); echo two | cat; echo $(echo three)'
cat /bin/yash > other; chmod +x other; ./other -c '(echo four); ./mine -c "echo five | ./mine -c cat"'
rm mine other; ls
