echo kept >f; exec 3<f; rm f; cat <&3; exec 3<&-; ls; (echo w >&4; cat g; rm g; echo z >&4) 4>g; ls
