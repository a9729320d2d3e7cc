head -c 5000 /dev/zero >big; touch empty; mkdir d; find . -size +4k -type f; find . -empty | sort; find . -type f ! -empty; find . -newer empty -type f
