touch -d '2001-02-03 04:05:06 UTC' f; TZ=UTC stat -c '%y %s' f; touch -r f g; TZ=UTC stat -c %Y g; touch -c none; ls
