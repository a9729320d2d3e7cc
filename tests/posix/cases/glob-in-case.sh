for w in apple banana cherry 42; do case $w in a*) echo A;; *an*|x) echo AN;; [0-9]*) echo num;; *) echo other;; esac; done
