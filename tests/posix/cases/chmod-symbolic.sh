umask 022; touch f; for m in u+x g=w o-r a=r u=rwx,go= +x 4755 u+s,g+s 1777 0; do chmod $m f; stat -c "$m %a" f; done
