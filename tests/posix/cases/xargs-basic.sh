echo a b c | xargs; echo a b c | xargs -n 1 echo x; seq 5 | xargs -n 2; printf 'a\0b c\0' | xargs -0 -n 1 echo; echo | xargs echo none; echo | xargs -r echo none
