mkdir -p a/skip b; touch a/skip/x a/y b/z; find . -name skip -prune -o -type f -print | sort; find . -type f -print0 | sort -z | tr '\0' '\n'; find a -quit -o -name y
