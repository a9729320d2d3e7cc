/tests/abi-test served
