//! Extended attributes, of which no file has any.

use super::names::HERE;
use crate::errno::{Errno, Result};
use crate::fs::Inode;
use crate::server::Call;
use alloc::rc::Rc;
use linux_raw_sys::general::{AT_SYMLINK_NOFOLLOW, O_PATH};

/// Bytes of a name, with its terminator.
const NAME_MAX: usize = 256;

fn by_name(call: &Call) -> Result<Rc<Inode>> {
    call.inode_at(HERE, call.args[0], 0)
}

fn by_name_itself(call: &Call) -> Result<Rc<Inode>> {
    call.inode_at(HERE, call.args[0], AT_SYMLINK_NOFOLLOW)
}

fn by_descriptor(call: &Call) -> Result<Rc<Inode>> {
    let open = call.process().files.get(call.args[0])?;
    if open.flags.get() & O_PATH != 0 { Err(Errno::EBADF) } else { Ok(open.inode.clone()) }
}

/// What is said about one: those that say who may do what could be there, others could not.
fn missing(call: &Call) -> Result {
    let name = call.process().string(call.args[1], NAME_MAX, Errno::ERANGE)?;
    if name.is_empty() {
        return Err(Errno::ERANGE);
    }
    let known = name.starts_with(b"security.") || name.starts_with(b"trusted.");
    Err(if known { Errno::ENODATA } else { Errno::EOPNOTSUPP })
}

fn refused(call: &Call) -> Result {
    missing(call).map_err(|error| if error == Errno::ENODATA { Errno::EOPNOTSUPP } else { error })
}

pub fn getxattr(call: &Call) -> Result {
    by_name(call).and_then(|_| missing(call))
}

pub fn lgetxattr(call: &Call) -> Result {
    by_name_itself(call).and_then(|_| missing(call))
}

pub fn fgetxattr(call: &Call) -> Result {
    by_descriptor(call).and_then(|_| missing(call))
}

pub fn listxattr(call: &Call) -> Result {
    by_name(call).map(|_| 0)
}

pub fn llistxattr(call: &Call) -> Result {
    by_name_itself(call).map(|_| 0)
}

pub fn flistxattr(call: &Call) -> Result {
    by_descriptor(call).map(|_| 0)
}

pub fn setxattr(call: &Call) -> Result {
    by_name(call).and_then(|_| refused(call))
}

pub fn lsetxattr(call: &Call) -> Result {
    by_name_itself(call).and_then(|_| refused(call))
}

pub fn fsetxattr(call: &Call) -> Result {
    by_descriptor(call).and_then(|_| refused(call))
}

pub fn removexattr(call: &Call) -> Result {
    by_name(call).and_then(|_| missing(call))
}

pub fn lremovexattr(call: &Call) -> Result {
    by_name_itself(call).and_then(|_| missing(call))
}

pub fn fremovexattr(call: &Call) -> Result {
    by_descriptor(call).and_then(|_| missing(call))
}
