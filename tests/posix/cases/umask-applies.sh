umask 077; touch f; mkdir d; stat -c %a f d; umask 000; touch g; mkdir e; stat -c %a g e; umask; umask -S
