seq 20 >f; for o in '' -b -c -d -o -s -x -a '-t x1' '-t u2' '-t d4' '-t f4' '-t x1z' '-A d' '-A x' '-A n' '-j 10' '-N 5' '-w8' '-v' '--endian=big -t x2' '-S 2'; do echo "[$o]"; od $o f; done; yes a | head -c 64 | od; yes a | head -c 64 | od -v | wc -l; base32 f; base64 -w 10 f; base64 -w 0 f; echo; base64 f | base64 -di; for b in --base64 --base64url --base32 --base32hex --base16 --base2msbf --base2lsbf --z85; do head -c 8 f | basenc $b; done; basenc --base16 -d <<E
414243
E
echo; echo '!!!' | base64 -d 2>/dev/null; echo $?; echo 'QU JD' | base64 -d -i
