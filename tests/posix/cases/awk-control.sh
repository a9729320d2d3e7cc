awk 'BEGIN { for (i = 0; i < 5; i++) { if (i == 2) continue; if (i == 4) break; print i } while (j < 2) print "w" j++; do { k++ } while (k < 3); print k; exit 3 }'; echo $?
