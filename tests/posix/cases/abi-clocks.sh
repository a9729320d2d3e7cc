/tests/abi-test clocks
