test "$(arch)" = "$(uname -m)" && echo same
