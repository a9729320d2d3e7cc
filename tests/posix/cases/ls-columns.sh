touch $(seq 12); ls -C -w 20; ls -x -w 20; ls -m -w 40
