//! Files that are opened in other ways.

use super::open;
use crate::errno::{Errno, Result};
use crate::fs::New;
use crate::server::Call;
use crate::wait::Outcome;
use linux_raw_sys::general::{
    AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, MFD_ALLOW_SEALING, MFD_CLOEXEC, O_CREAT, O_RDWR, O_TMPFILE,
    S_IFREG,
};

/// Bytes of a name of `memfd_create`, without the prefix.
const MEMFD_NAME: usize = 249;
/// All flags that `open` knows.
const KNOWN: u64 = 0o37_777_703;

pub fn memfd_create(call: &Call) -> Result {
    let [name, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(MFD_CLOEXEC | MFD_ALLOW_SEALING) != 0 {
        return Err(Errno::EINVAL);
    }
    let process = call.process();
    let name = process.string(name, MEMFD_NAME + 1, Errno::EINVAL)?;
    let (uid, gid) = (process.ids.borrow().fsuid, process.ids.borrow().fsgid);
    let new = New { name: b"", mode: S_IFREG | 0o777, uid, gid, device: 0, target: b"" };
    let root = &call.server.root;
    let inode = root.directory()?.create_unnamed(root, &new)?;
    let name = [b"memfd:", name.as_slice()].concat();
    let open = open::regular(inode, O_RDWR, Some((root.clone(), name)));
    process.add_descriptor(open, flags & MFD_CLOEXEC != 0)
}

/// With no way of resolving a path but the usual one. Whoever needs another is told that there is no
/// such call, and resolves it by itself.
pub fn openat2(call: &Call) -> Outcome {
    let [at, path, how, size, ..] = call.args;
    let read = || {
        if size < 24 {
            return Err(Errno::EINVAL);
        }
        let [flags, mode, resolve] = call.process().get::<[u64; 3]>(how)?;
        let makes = u64::from(O_CREAT | O_TMPFILE & !linux_raw_sys::general::O_DIRECTORY);
        if flags & !KNOWN != 0 || mode & !0o7777 != 0 || mode != 0 && flags & makes == 0 {
            return Err(Errno::EINVAL);
        }
        if size > 24 {
            return Err(Errno::E2BIG);
        }
        if resolve != 0 {
            return Err(Errno::ENOSYS);
        }
        Ok((flags, mode))
    };
    match read() {
        Ok((flags, mode)) => open::openat(&call.with([at, path, flags, mode, 0, 0])),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// No file system here has handles.
pub fn name_to_handle_at(call: &Call) -> Result {
    let [at, path, _, _, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let nofollow = linux_raw_sys::general::AT_SYMLINK_NOFOLLOW;
    let way = if flags & AT_SYMLINK_FOLLOW != 0 { 0 } else { nofollow };
    call.inode_at(at, path, flags & AT_EMPTY_PATH | way)?;
    Err(Errno::EOPNOTSUPP)
}
