f() { echo "f $1 $#"; return 3; }; f a b; echo $?; g() ( x=in; echo $x ); x=out; g; echo $x; r() { [ $1 -le 0 ] || { echo $1; r $(($1-1)); }; }; r 3
