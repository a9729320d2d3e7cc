touch a; chmod 400 a; rm -f a; mkdir d; rm -d d; touch x y; rm -v x y; ls
