printf 'echo first\ncat\necho second\n' | sh; seq 3 | sh -c 'read a; cat; echo $a'
