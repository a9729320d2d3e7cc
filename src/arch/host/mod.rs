//! A simulated machine, on which the kernel runs under `cargo test`, proptest and Miri.
