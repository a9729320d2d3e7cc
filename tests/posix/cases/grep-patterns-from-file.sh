printf 'one\ntwo\nthree\n' >f; printf 'one\nthree\n' >p; grep -f p f; grep -e one -e two f; grep -vf p f
