printf secret >f; shred -n 1 -u f; ls; echo x >g; sync g; echo $?; sync; echo $?
