printf '#!/bin/sh\necho "run $0 $1"\n' >s; chmod +x s; ./s arg; printf '#!/bin/sh -e\nfalse\necho no\n' >t; chmod +x t; ./t; echo $?; printf '#!/bin/cat\ntext\n' >c; chmod +x c; ./c
