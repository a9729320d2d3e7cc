//! The test kernel: boots, runs the one test its command line names, and exits with its status.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {
    println!(
        "skipped: these tests boot in QEMU; `make test-virt`, `test-rpi` and `test-x86` run them"
    );
}
