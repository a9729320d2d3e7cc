mkdir -p a/b/c; rmdir -p a/b/c; ls; mkdir d; touch d/f; rmdir d; echo $?; rmdir --ignore-fail-on-non-empty d; echo $?
