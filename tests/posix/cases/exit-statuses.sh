sh -c 'exit 42'; echo $?; sh -c 'exit 256'; echo $?; sh -c 'kill -9 $$'; echo $?; sh -c 'kill -15 $$'; echo $?; nosuchcommand 2>/dev/null; echo $?; touch noexec; ./noexec 2>/dev/null; echo $?
