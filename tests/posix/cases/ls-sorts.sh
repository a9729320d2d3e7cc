touch -d 2020-01-01 old; touch -d 2022-01-01 new; printf xxx >big; touch -d 2021-01-01 big; ls -t; ls -tr; ls -S; touch f10 f9; ls -v
