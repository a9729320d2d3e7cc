/tests/abi-test arithmetic
