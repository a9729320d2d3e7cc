//! Locks on files.

use super::Open;
use crate::errno::Errno;
use crate::process::Process;
use crate::server::Call;
use crate::wait::Outcome;
use alloc::rc::Rc;

pub fn fcntl(_call: &Call, _open: &Rc<Open>) -> Outcome {
    Outcome::Done(Err(Errno::EINVAL))
}

impl Process {
    /// The process has closed a descriptor of a file: it has no locks there any more.
    pub fn forget_locks(&self, _open: &Rc<Open>) {}
}
