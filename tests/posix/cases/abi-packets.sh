/tests/abi-test packets
