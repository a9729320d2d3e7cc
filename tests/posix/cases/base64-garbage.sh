echo 'aGVs!bG8=' | base64 -d; echo $?; echo 'aGVs!bG8=' | base64 -di; echo " $?"
