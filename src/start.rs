//! From the first Rust instruction to the last line of the boot report.
