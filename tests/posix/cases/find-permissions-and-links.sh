touch f; chmod 755 f; touch g; chmod 600 g; ln -s f l; ln -s none broken; find . -perm 755; find . -perm -u+x -type f; find . -type l | sort; find -L . -type l; find . -lname f
