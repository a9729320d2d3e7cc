/tests/abi-test processes
