mkdir -p a/b d; echo 1 >a/b/f; cp --parents a/b/f d; cat d/a/b/f; echo 2 >n; cp --backup=numbered n d/a/b/f; ls d/a/b
