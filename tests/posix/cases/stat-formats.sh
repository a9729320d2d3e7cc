umask 022; printf 'abc' >f; chmod 640 f; stat -c '%n %s %a %A %F %h %u %g' f; mkdir d; stat -c '%F %a' d; ln -s f l; stat -c '%F %N' l; stat -L -c %F l
