cp /bin/yash mine
./mine -c 'echo x > mine; echo $?; truncate -s 10 mine; echo $?; chmod -x mine; echo x > mine; echo $?; chmod +x mine' 2>&1
./mine -c 'echo still'
echo x > mine; echo $?; cat mine
