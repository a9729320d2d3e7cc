printf 'a\n' >a; printf 'b\nc\n' >b; printf 'a\0b\0' >list; wc -l --files0-from=list
