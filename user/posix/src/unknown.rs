//! Calls that nobody serves: the last of them are kept, with their arguments.

use crate::process::Task;
use alloc::collections::VecDeque;
use core::cell::RefCell;

/// A call that nobody serves.
pub struct Strange {
    /// Its number.
    pub number: u32,
    /// Its arguments.
    pub args: [u64; 6],
    /// Who made it.
    pub pid: u32,
}

/// The last calls that nobody served.
#[derive(Default)]
pub struct Unknown(pub RefCell<VecDeque<Strange>>);

impl Unknown {
    /// How many are kept.
    const KEPT: usize = 64;

    /// Keeps one.
    pub fn add(&self, number: u32, args: &[u64; 6], task: &Task) {
        let mut ring = self.0.borrow_mut();
        if ring.len() == Unknown::KEPT {
            ring.pop_front();
        }
        ring.push_back(Strange { number, args: *args, pid: task.process.pid });
        rt::println!("posix: pid {} made the unknown call {number} {args:x?}", task.process.pid);
    }
}
