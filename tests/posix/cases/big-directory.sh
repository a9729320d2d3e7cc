mkdir d; cd d; seq 1000 | xargs touch; ls | wc -l; echo * | wc -w; ls -f | wc -l; rm [1-5]*; ls | wc -l; cd ..; rm -r d; ls
