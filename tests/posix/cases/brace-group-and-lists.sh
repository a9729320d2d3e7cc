{ echo a; echo b; } | tac; true && echo yes || echo no; false && echo yes || echo no; false || true && echo end
