printf 'abc\000\377\n' >f; od f; od -c f; od -An -tx1 f; od -An -td2 f; od -A x -t x1z f
