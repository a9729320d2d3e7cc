true | false; echo $?; false | true; echo $?; ! true; echo $?; ! false | false; echo $?
