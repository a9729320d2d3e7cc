//! Seals: what may not be done with a file in memory any more.

use super::Open;
use crate::errno::{Errno, Result};
use crate::fs::Inode;
use crate::process::Process;
use crate::server::{Call, Server};
use alloc::rc::Rc;
use linux_raw_sys::general::{
    F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE,
};

/// Seals against writing.
pub const WRITING: u32 = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
/// All that there are.
const ALL: u64 = (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | WRITING) as u64;

/// `F_GET_SEALS`.
pub fn get(open: &Open) -> Result {
    if open.inode.sealable() { Ok(open.inode.seals.get().into()) } else { Err(Errno::EINVAL) }
}

/// `F_ADD_SEALS`.
pub fn add(call: &Call, open: &Open, seals: u64) -> Result {
    open.writable().map_err(|_| Errno::EPERM)?;
    if seals & !ALL != 0 || !open.inode.sealable() {
        return Err(Errno::EINVAL);
    }
    let (inode, seals) = (&open.inode, seals as u32);
    inode.unsealed(F_SEAL_SEAL)?;
    let before = inode.seals.get();
    if seals & !before & F_SEAL_WRITE != 0 && is_mapped(call.server, inode) {
        return Err(Errno::EBUSY);
    }
    inode.seals.set(before | seals);
    Ok(0)
}

/// Whether somebody has it mapped so that it could be written.
fn is_mapped(server: &Server, inode: &Inode) -> bool {
    let maps = |process: &Rc<Process>| {
        process.space.borrow().areas.values().any(|area| {
            let file = area.file.as_ref().filter(|_| area.shared);
            file.is_some_and(|(file, open, _)| file.is(inode) && open.writable().is_ok())
        })
    };
    server.processes().iter().any(maps)
}
