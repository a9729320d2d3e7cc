mkdir d; cd d; seq 10000 | xargs touch; find . -type f | wc -l; ls | sort -n | tail -n 1; cd ..; rm -r d; ls
