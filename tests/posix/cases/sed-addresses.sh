seq 10 >f; sed -n 3p f; sed -n '2,4p' f; sed '3,$d' f; sed -n '/5/,/7/p' f; sed -n '$p' f; sed '1~3d' f; sed -n '/3/!p' f | head -n 3
