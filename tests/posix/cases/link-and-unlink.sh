echo x >f; link f g; cat g; unlink f; cat g; unlink missing; echo $?; mkdir d; unlink d; echo $?
