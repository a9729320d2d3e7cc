head -c 200 /dev/zero | tr '\0' 'x' >f; base64 f; base64 -w 0 f; echo; base64 f | base64 -d | sha256sum; sha256sum <f; base64 f | base64 -d | cksum
