touch a b; dir; mkdir d; chmod 755 d; touch -d @0 a b d; TZ=UTC vdir --time-style=long-iso a b
