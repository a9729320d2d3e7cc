d=.; for i in $(seq 60); do d=$d/dir$i; done; mkdir -p $d; echo x >$d/f; find . | wc -l; cat $d/f; (cd $d; /bin/pwd | wc -c); rm -r dir1; ls
