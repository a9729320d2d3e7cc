nice -n 5 nice; nohup echo hi 2>/dev/null; nice -n 3 true; echo $?; nohup nosuchprogram 2>/dev/null; echo $?
