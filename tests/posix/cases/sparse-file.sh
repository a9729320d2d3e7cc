truncate -s 1G f; wc -c <f; tail -c 3 f | od -An -c; rm f
