printf 'a:b:c:d\n1:2:3:4\nnone\n' >f; cut -d: -f2 f; cut -d: -f2- f; cut -d: -f-2,4 f; cut -s -d: -f1 f
