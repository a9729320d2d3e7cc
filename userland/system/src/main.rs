//! What a person needs to have a say in file systems and in the machine, and no crate has: `mount`, `umount`,
//! `poweroff`, `reboot`. Which of them it is says the name that it is called by.

mod mount;
mod power;

use std::io::Error;
use std::process::ExitCode;

/// What goes wrong: the line that says so.
type Result = std::result::Result<(), String>;

fn main() -> ExitCode {
    let mut words = std::env::args();
    let path = words.next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let words: Vec<String> = words.collect();
    let result = match name {
        "mount" => mount::mount(&words),
        "umount" => mount::umount(&words),
        "poweroff" | "halt" => power::end(&words, libc::LINUX_REBOOT_CMD_POWER_OFF),
        "reboot" => power::end(&words, libc::LINUX_REBOOT_CMD_RESTART),
        _ => Err("call it mount, umount, poweroff, halt or reboot".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{name}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What the last system call says of its failure.
fn last_error() -> Error {
    Error::last_os_error()
}
