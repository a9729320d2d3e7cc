mkdir -p a/b; ln -s a/b l; realpath l; realpath --relative-to=/tmp l; readlink l; readlink -f l; readlink missing; echo $?; realpath -e missing; echo $?
