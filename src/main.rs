//! The kernel as it ships.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
ochre::entry!(main, ochre::start::idle_entry);

/// Starts the first process, unless the command line asks for something else.
#[cfg(target_os = "none")]
extern "C" fn main() -> ! {
    use ochre::boot::Then;
    use ochre::{arch, kernel, start};

    let then = kernel::lock().options.then;
    match then {
        Then::Idle => start::first(),
        Then::Off => arch::power::off(),
        Then::Panic => panic!("the command line asked for a panic"),
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("This is a kernel: `make run-virt`, `make run-rpi` or `make run-x86` boots it.");
}
