/tests/abi-test events
