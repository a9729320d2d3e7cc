/tests/abi-test barriers
