printf 'a\nb\n' | xargs -I{} echo '<{}>'; printf 'x y\nz\n' | xargs -I% sh -c 'echo "[%]"'; echo 'a,b' | xargs -d , echo
