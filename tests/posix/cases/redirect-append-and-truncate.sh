echo 1 >f; echo 2 >>f; cat f; echo 3 >f; cat f; : >f; wc -c <f
