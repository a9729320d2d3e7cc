/tests/abi-test memory
