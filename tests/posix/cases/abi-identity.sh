/tests/abi-test identity
