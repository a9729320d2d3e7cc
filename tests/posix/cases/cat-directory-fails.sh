mkdir d; cat d; echo $?
