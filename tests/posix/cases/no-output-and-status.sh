exit 17
