seq 100 >f; cksum f; sum f; sum -s f; cksum -a sha256 f; cksum -a crc <f
