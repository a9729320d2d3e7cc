seq -f 'line %04091g' 256 >f; cat f f f f f f f f f f f f f f f f >g; wc -c <g; cat g g g g >h; wc -c <h; cat h | sort | uniq | wc; sha256sum <f
