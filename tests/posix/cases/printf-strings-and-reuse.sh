printf '%s-%s\n' a b c; printf '%10s|%-10s|%.2s\n' right left cut; printf '%c%c\n' xyz abc; printf '%b\n' 'a\tb'; printf '%q\n' "it's"
