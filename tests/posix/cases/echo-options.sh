echo -n no newline; echo; echo -e 'a\tb\nc\\d\0101'; echo -E 'a\tb'; echo "$(/bin/echo -e 'x\cy')"
