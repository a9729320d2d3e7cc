printf 'h\303\251llo w\303\266rld\n' >f; wc -c <f; LC_ALL=C.UTF-8 wc -m <f
