echo x | xargs false; echo $?; echo x | xargs sh -c 'exit 255'; echo $?; echo x | xargs nosuchprogram; echo $?; seq 3 | xargs -n1 sh -c 'exit 1'; echo $?
