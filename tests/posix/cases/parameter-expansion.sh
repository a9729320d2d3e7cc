x=/usr/lib/file.tar.gz; echo ${x##*/} ${x%.*} ${x%%.*} ${x#/} ${#x}; echo ${u-def} ${u:=set} $u ${u:+alt} ${n+no}; ( echo ${v?gone} ); echo $?
