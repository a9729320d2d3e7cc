/tests/abi-test heap
