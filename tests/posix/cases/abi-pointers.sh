/tests/abi-test pointers
