touch f; ln f g; find . -samefile f | sort; find . -links 2 | sort; find . -user root -name f; find . -uid 0 -name g
