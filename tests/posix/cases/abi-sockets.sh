/tests/abi-test sockets
