/tests/abi-test room
