//! The end of it all.

use crate::{Result, last_error};
use libc::c_int;

/// Writes out what is to be kept, and switches the machine off, or has it begin anew.
pub fn end(words: &[String], how: c_int) -> Result {
    if !words.is_empty() {
        return Err(
            "it takes no arguments: what is written is saved, and then the machine is off".into()
        );
    }
    // SAFETY: neither call takes memory.
    unsafe {
        libc::sync();
        libc::reboot(how);
    }
    Err(format!("{}", last_error()))
}
