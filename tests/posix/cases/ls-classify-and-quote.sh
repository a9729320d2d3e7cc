mkdir d; touch 'a b' "it's" x; chmod +x x; ln -s d l; mkfifo p; ls -F; ls -Q; ls --quoting-style=shell
