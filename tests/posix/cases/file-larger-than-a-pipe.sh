head -c 5000000 /dev/zero >f; wc -c <f; cat f f | wc -c; tail -c 1000 f | wc -c; cp f g; sha256sum f g | cut -c-64 | uniq | wc -l; rm f g
