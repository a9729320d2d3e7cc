mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3; ls -R a
