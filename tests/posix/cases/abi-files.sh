/tests/abi-test files
