/tests/abi-test directories
