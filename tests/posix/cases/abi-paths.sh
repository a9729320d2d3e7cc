/tests/abi-test paths
