echo x >f; cp f f; echo $?; ln f g; cp f g; echo $?
