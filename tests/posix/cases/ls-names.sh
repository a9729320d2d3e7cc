mkdir d; touch .hidden b a C; touch d/inner; ls; ls -a; ls -A; ls -1 d; ls -d d; ls -p; ls -r
