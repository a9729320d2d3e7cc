echo x >f; ln -s f l; cp l copy; ls -F; cp -P l other; readlink other; cp -l f hard; stat -c %h f; cp -s $PWD/f soft; readlink soft | xargs basename
