mkdir d; for i in 1 2 3 4 5; do seq $i >d/$i; done; find d -type f | sort | xargs wc -l; find d -type f -print0 | xargs -0 cat | wc -l; find d -type f | xargs rm; ls d
