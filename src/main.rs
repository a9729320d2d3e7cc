//! The kernel as it ships.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("This is a kernel: `make run-virt`, `make run-rpi` or `make run-x86` boots it.");
}
