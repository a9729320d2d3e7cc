echo to out; echo to err >&2; echo again; ls missing; echo end >&2; exit 3
