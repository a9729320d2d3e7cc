/tests/typist sh -c 'tty | sed s/[0-9]/N/; stty size; stty rows 30 cols 100; stty size; stty -echo; stty -a | grep -o -e "-echo "; stty raw; stty sane; stty -icanon; stty -a | grep -o -e "-icanon"; test -t 0 && echo yes' <<'E'
end
E
