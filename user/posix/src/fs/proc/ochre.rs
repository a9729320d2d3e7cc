//! What this server does, and what it was asked for in vain.

use super::Subject;
use crate::errno::Result;
use crate::table;
use crate::unknown::Strange;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A line for each call: its number, its name, and what of it is not served.
pub fn syscalls(_: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for row in table::rows() {
        let name = row.name.trim_start_matches("__NR_");
        let lacks = if row.lacks.is_empty() { "" } else { "  lacks " };
        text.push_str(&format!("{:3} {name}{lacks}{}\n", row.number, row.lacks));
    }
    Ok(text.into_bytes())
}

/// Bytes that this server may use, and those that it uses; and each process, by its number.
pub fn memory(subject: &Subject) -> Result<Vec<u8>> {
    let own = rt::process().info()?;
    let mut text = format!("posix {} {}\n", own.quota, own.used);
    for process in subject.server.processes() {
        if let Ok(info) = process.native.info() {
            text.push_str(&format!("{} {} {}\n", process.pid, info.quota, info.used));
        }
    }
    Ok(text.into_bytes())
}

/// How often this server has taken something from its heap.
pub fn heap(_: &Subject) -> Result<Vec<u8>> {
    Ok(format!("{:20}\n", rt::heap::taken()).into_bytes())
}

/// A line for each of the last calls that nobody serves: who made it, its number, its arguments.
pub fn unimplemented(subject: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for Strange { number, args, pid } in subject.server.unknown.0.borrow().iter() {
        text.push_str(&format!("pid {pid} call {number}"));
        args.iter().for_each(|argument| text.push_str(&format!(" {argument:#x}")));
        text.push('\n');
    }
    Ok(text.into_bytes())
}
