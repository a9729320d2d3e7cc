( trap 'echo sub' EXIT; echo in ); trap 'echo main' EXIT; echo out; exit 5
