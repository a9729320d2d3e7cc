sh -c 'trap "echo caught >caught" TERM; trap' >/dev/null
(trap '' TERM; sh -c 'kill -TERM 0; echo ignored by the child too'; echo ignored); echo $?
