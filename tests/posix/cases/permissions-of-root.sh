touch f; chmod 0 f; cat f; echo x >f; cat f; chmod 755 f; ./f 2>/dev/null; echo $?
