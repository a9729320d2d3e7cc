printf 'no end' >f; cat f f; echo; wc -c f
