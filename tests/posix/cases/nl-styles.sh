printf 'a\n\nb\nc\n' >f; nl f; nl -ba f; nl -w2 -s: f; nl -v10 -i5 f; nl -nrz f
