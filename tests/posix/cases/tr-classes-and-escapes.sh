printf 'one two\tthree\n' | tr '[:space:]' '\n'; echo abc | tr '[:lower:]' '[:upper:]'; printf 'a\\b\n' | tr '\\' /
