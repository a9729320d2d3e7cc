//! Waiting for a word of memory.

use crate::process::Task;
use alloc::rc::Rc;

/// A thread ends: whoever waits for that, or for its locks, hears of it.
pub fn task_ends(_task: &Rc<Task>) {}
