/tests/abi-test watches
