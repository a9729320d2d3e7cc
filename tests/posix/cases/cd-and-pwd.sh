mkdir -p a/b; ln -s a/b l; cd l; pwd | sed 's|.*/||'; pwd -P | sed 's|.*case/||'; cd ..; pwd | sed 's|.*/||'; cd /; pwd; cd missing; echo $?; cd -; cd; pwd
