trap '' TERM; kill $$; echo alive; sh -c 'kill $$; echo child alive too'
