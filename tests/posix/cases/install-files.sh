umask 022; echo x >f; install -m 750 f g; stat -c %a g; install -d a/b; install -D f c/d/e; cat c/d/e; install -t a/b f; ls a/b
