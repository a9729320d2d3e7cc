mkdir -p a/b; touch a/f; ln -sr a/f a/b/l; readlink a/b/l; ln -s loop loop; cat loop; echo $?
