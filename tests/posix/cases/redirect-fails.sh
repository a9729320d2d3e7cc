echo x >missing/f; echo $?; cat <missing; echo $?; echo still here
