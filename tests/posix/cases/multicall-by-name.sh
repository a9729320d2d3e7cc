coreutils echo by name; coreutils nosuch 2>&1 | head -n 1; coreutils sort --version | head -n 1
