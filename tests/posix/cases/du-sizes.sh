mkdir -p d/e; head -c 10000 /dev/zero >d/f; head -c 5000 /dev/zero >d/e/g; du -ab --apparent-size d | sort; du -sb d/f
