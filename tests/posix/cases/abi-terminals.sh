/tests/abi-test terminals
