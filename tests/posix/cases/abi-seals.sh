/tests/abi-test seals
