/tests/abi-test descriptors
