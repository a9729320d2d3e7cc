umask 022; mkdir -p s/t; echo x >s/f; ln -s f s/l; chmod 600 s/f; cp -r s d; ls d; readlink d/l; stat -c %a d/f; cp -a s e; stat -c '%a %F' e/f e/l
