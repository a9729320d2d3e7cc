seq 3 >f; awk 'BEGIN { while ((getline line < "f") > 0) print "[" line "]" }'; awk 'FNR==1 { print FILENAME }' f f; awk 'BEGIN { print ENVIRON["HOME"]; print ARGC, ARGV[1] }' arg
