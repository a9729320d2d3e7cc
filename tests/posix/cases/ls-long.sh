umask 022; printf 12345 >file; mkdir dir; ln -s file link; chmod 4755 file; touch -h -d '2020-01-01 00:00 UTC' file dir link; TZ=UTC ls -l --time-style=long-iso | tail -n +2
