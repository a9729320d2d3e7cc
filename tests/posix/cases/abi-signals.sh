/tests/abi-test signals
