echo 'the quick brown fox jumps over the lazy dog' >f; fold -w 10 f; fold -s -w 10 f; fmt -w 20 f
