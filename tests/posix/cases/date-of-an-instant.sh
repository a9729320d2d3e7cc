TZ=UTC date -d @0 '+%Y-%m-%d %H:%M:%S'; TZ=UTC date -u -d '2024-02-29 12:00' '+%j %a %F'; TZ=UTC date -d 2024-01-31 +%s; date -d nonsense; echo $?
