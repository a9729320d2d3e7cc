//! The test kernel: boots, runs the one test its command line names, and exits with its status.
//! `test=list` lists them; `tests/run` on the developer's machine boots each in QEMU.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {
    println!(
        "skipped: these tests boot in QEMU; `make test-virt`, `test-rpi`, `test-x86` run them"
    );
}

#[cfg(target_os = "none")]
mod bench;
#[cfg(target_os = "none")]
mod cpus;
#[cfg(target_os = "none")]
mod exceptions;
#[cfg(target_os = "none")]
#[cfg(target_os = "none")]
mod honesty;
#[cfg(target_os = "none")]
mod memory;
#[cfg(target_os = "none")]
mod protection;
#[cfg(target_os = "none")]
mod table;
#[cfg(target_os = "none")]
mod time;

#[cfg(target_os = "none")]
ochre::entry!(table::main, cpus::other);
