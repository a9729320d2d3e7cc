cat ''; echo $?; ls ''; echo $?; cd ''; echo $?; touch ''; echo $?; echo '' ''
