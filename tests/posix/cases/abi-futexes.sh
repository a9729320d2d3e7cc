/tests/abi-test futexes
