echo text | tee missing/file; echo $?
