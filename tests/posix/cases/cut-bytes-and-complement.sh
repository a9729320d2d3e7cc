printf 'abcdefgh\n' >f; cut -c2-4 f; cut -b1,3,5- f; cut --complement -c2-4 f; cut -d: -f1 --output-delimiter=+ f
