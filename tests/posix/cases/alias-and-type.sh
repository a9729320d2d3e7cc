alias e='echo alias'; eval 'e x'; unalias e; type cd >/dev/null; echo $?; command -v ls; command echo x
