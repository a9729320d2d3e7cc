printf 'text\0more\nline\n' >f; grep more f; grep -a more f | od -An -c; grep -c line f
