/tests/abi-test modes
