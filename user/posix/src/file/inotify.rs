//! `inotify`: what happens to files, as something to read.

use super::names::HERE;
use super::{Events, File, Open};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::fs::watch::{Event, Queue};
use crate::server::Call;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::rc::Rc;
use linux_raw_sys::general::{
    AT_SYMLINK_NOFOLLOW, IN_ALL_EVENTS, IN_DONT_FOLLOW, IN_EXCL_UNLINK, IN_IGNORED, IN_ISDIR,
    IN_MASK_ADD, IN_MASK_CREATE, IN_ONESHOT, IN_ONLYDIR, IN_Q_OVERFLOW, IN_UNMOUNT, O_CLOEXEC,
    O_NONBLOCK, O_RDONLY,
};
use linux_raw_sys::ioctl::FIONREAD;

/// Bytes of `struct inotify_event` before the name, and what the name's length is a multiple of.
const HEAD: usize = 16;
/// What a watch may ask for.
const KNOWN: u32 = IN_ALL_EVENTS
    | IN_UNMOUNT
    | IN_Q_OVERFLOW
    | IN_IGNORED
    | IN_ONLYDIR
    | IN_DONT_FOLLOW
    | IN_EXCL_UNLINK
    | IN_MASK_ADD
    | IN_MASK_CREATE
    | IN_ISDIR
    | IN_ONESHOT;

/// What is read.
struct Notices(Rc<Queue>);

/// How many bytes an event is when it is read.
fn length(event: &Event) -> usize {
    match event.name.len() {
        0 => HEAD,
        name => HEAD + (name + 1).next_multiple_of(HEAD),
    }
}

impl File for Notices {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        let before = to.done;
        while let Some(event) = self.0.first() {
            let length = length(&event);
            if to.left < length as u64 {
                return if to.done > before { Ok(()) } else { Err(Errno::EINVAL) };
            }
            let Event { watch, what, cookie, name } = event;
            let mut bytes = alloc::vec![0; length];
            let words = [watch as u32, what, cookie, (length - HEAD) as u32];
            for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
                to.copy_from_slice(&word.to_ne_bytes());
            }
            bytes[HEAD..][..name.len()].copy_from_slice(&name);
            to.put(&bytes)?;
            self.0.advance();
        }
        if to.done > before { Ok(()) } else { Err(Errno::EAGAIN) }
    }

    fn ready(&self, _: &Open) -> Events {
        if self.0.first().is_some() { Events::READ } else { Events::empty() }
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(self.0.waiters())
    }

    fn seekable(&self) -> bool {
        true
    }

    fn ioctl(&self, call: &Call, _: &Open, request: u32, argument: u64) -> Result {
        if request != FIONREAD {
            return Err(Errno::ENOTTY);
        }
        let bytes = self.0.sum(|event| length(event) as u64);
        call.process().put(argument, &(bytes as u32)).map(|()| 0)
    }
}

pub fn inotify_init1(call: &Call) -> Result {
    let flags = call.args[0] as u32;
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let file = Rc::new(Notices(Queue::new(&call.server.room)));
    let open = call.server.open_anonymous(file, Kind::Socket, O_RDONLY | flags & O_NONBLOCK);
    call.process().add_descriptor(open, flags & O_CLOEXEC != 0)
}

pub fn inotify_add_watch(call: &Call) -> Result {
    let [fd, path, mask, ..] = call.args;
    let mask = mask as u32;
    if mask & KNOWN == 0 || mask & !KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let open = call.process().files.get(fd)?;
    if mask & IN_MASK_ADD != 0 && mask & IN_MASK_CREATE != 0 {
        return Err(Errno::EINVAL);
    }
    let notices = open.file.downcast::<Notices>().ok_or(Errno::EINVAL)?;
    let nofollow = if mask & IN_DONT_FOLLOW != 0 { AT_SYMLINK_NOFOLLOW } else { 0 };
    let inode = call.inode_at(HERE, path, nofollow)?;
    if mask & IN_ONLYDIR != 0 {
        inode.directory()?;
    }
    inode.permit(&call.process().ids.borrow(), 4)?;
    notices.0.watch(&inode, mask).map(|number| number as u64)
}

pub fn inotify_rm_watch(call: &Call) -> Result {
    let [fd, number, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let notices = open.file.downcast::<Notices>().ok_or(Errno::EINVAL)?;
    notices.0.unwatch(number as i32).map(|()| 0)
}
