mkdir d; chmod 1777 d; stat -c %A d; chmod 2755 d; touch d/f; mkdir d/e; stat -c %A d d/e; stat -c %A /tmp
