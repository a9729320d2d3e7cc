printf 'apple\nbanana\ncherry\nApple pie\n' >f; grep apple f; grep -i apple f; grep -v a f; grep -c an f; grep -n e f; grep nothing f; echo $?
