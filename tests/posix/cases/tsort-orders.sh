printf 'a b\nb c\na c\n' | tsort; printf 'a b\nb a\n' | tsort; echo $?
