mkdir d; cd d; seq -f 'file-%05g' 10000 | xargs touch; ls -U | wc -l; find . -name '*9999'; echo * | wc -w; rm file-0*; ls -r | head -n 2; cd ..; rm -r d; ls
