hostid | grep -cE '^[0-9a-f]{8}$'
