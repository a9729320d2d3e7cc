//! Files that are opened in other ways.

use super::open;
use crate::errno::{Errno, Result};
use crate::fs::{New, path};
use crate::server::Call;
use crate::wait::Outcome;
use linux_raw_sys::general::{
    AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, MFD_ALLOW_SEALING, MFD_CLOEXEC, O_CLOEXEC, O_CREAT,
    O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDWR, O_TMPFILE, O_TRUNC, RESOLVE_CACHED, S_IFREG,
};
use rt::abi::PAGE;
use zerocopy::IntoBytes;

/// Bytes of a name of `memfd_create`, without the prefix.
const MEMFD_NAME: usize = 249;
/// All flags that `open` knows.
const KNOWN: u64 = 0o37_777_703;
/// All ways of resolving a path, and those of which only one can be had.
const WAYS: u64 = 0x3f;
const SCOPED: u64 = path::SCOPED as u64;

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
    if flags & MFD_ALLOW_SEALING != 0 {
        inode.seals.set(0);
    }
    let name = [b"memfd:", name.as_slice()].concat();
    let open = open::regular(inode, O_RDWR, Some((root.clone(), name)));
    process.add_descriptor(open, flags & MFD_CLOEXEC != 0)
}

pub fn openat2(call: &Call) -> Outcome {
    let [at, path, ..] = call.args;
    match how(call) {
        Ok([flags, mode, resolve]) => {
            let call = call.with([at, path, flags, mode, 0, 0]);
            open::openat(&Call { resolve: resolve as u32, ..call })
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// `struct open_how`: flags, mode, and how the path is resolved. What we do not know must be zero.
fn how(call: &Call) -> Result<[u64; 3]> {
    let [_, _, how, size, ..] = call.args;
    if size < 24 {
        return Err(Errno::EINVAL);
    }
    let mut words = [0u64; PAGE as usize / 8];
    let bytes = words.as_mut_bytes().get_mut(..size as usize).ok_or(Errno::E2BIG)?;
    call.process().native.read(how, bytes)?;
    let [flags, mode, resolve, rest @ ..] = words;
    if rest.iter().any(|&word| word != 0) {
        return Err(Errno::E2BIG);
    }
    let unnamed = O_TMPFILE & !O_DIRECTORY;
    let makes = flags & u64::from(O_CREAT | unnamed) != 0;
    let path_only = u64::from(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if flags & !KNOWN != 0
        || resolve & !WAYS != 0
        || resolve & SCOPED == SCOPED
        || mode & !0o7777 != 0
        || mode != 0 && !makes
        || flags & u64::from(O_PATH) != 0 && flags & !path_only != 0
    {
        return Err(Errno::EINVAL);
    }
    // All is in memory, but what is made is not there yet.
    let cached = resolve & u64::from(RESOLVE_CACHED) != 0;
    if cached && (makes || flags & u64::from(O_TRUNC) != 0) {
        return Err(Errno::EAGAIN);
    }
    Ok([flags, mode, resolve])
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
