printf 12345 >f; truncate -s 3 f; cat f; echo; truncate -s +2 f; od -An -c f; truncate -s 0 f; wc -c f; truncate -s 10 -c none; ls
