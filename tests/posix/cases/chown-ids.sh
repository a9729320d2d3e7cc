touch f; chown 1000:100 f; stat -c '%u %g' f; chgrp 5 f; stat -c '%u %g' f; chown guest f; stat -c '%U' f; chown nosuchuser f; echo $?
