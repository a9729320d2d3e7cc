touch -d 2020-01-01 old; touch -d 2021-01-01 new; ln new same; /bin/test new -nt old && echo nt; /bin/test old -ot new && echo ot; /bin/test new -ef same && echo ef
