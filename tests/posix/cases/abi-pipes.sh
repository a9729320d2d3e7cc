/tests/abi-test pipes
