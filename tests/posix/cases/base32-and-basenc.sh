printf 'hello' | base32; printf 'hello' | basenc --base16; printf 'hello>>' | basenc --base64url; printf 'NBSWY3DP' | base32 -d; echo
