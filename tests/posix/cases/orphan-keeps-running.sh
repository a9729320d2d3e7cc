sh -c '(sleep 0.2; echo orphan >f) & exit 0'; until test -s f; do sleep 0.05; done; cat f
