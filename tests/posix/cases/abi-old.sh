/tests/abi-test old
