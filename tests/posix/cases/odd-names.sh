touch -- -dash 'sp ace' 'new
line' 'quo"te' $'\001' 'ünï'; ls | od -An -c; rm -- -dash; find . -type f | wc -l
