echo x >f; ln f h; ln -s f s; ln -s missing broken; cat h s; cat broken; echo $?; ln f h; echo $?; ln -f f h; ln -sfn other s; readlink s; stat -c %h f
