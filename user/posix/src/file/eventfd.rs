//! `eventfd`: a number that is added to, and waited for.

use super::{Events, File, Open};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::server::Call;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::rc::Rc;
use core::cell::Cell;
use linux_raw_sys::general::{
    EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE, O_CLOEXEC, O_NONBLOCK, O_RDWR,
};

/// The highest count.
const MOST: u64 = u64::MAX - 1;

/// The number.
struct EventFile {
    count: Cell<u64>,
    /// Reading takes one of it, rather than all.
    semaphore: bool,
    waiters: Waiters,
}

impl File for EventFile {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        if to.left < 8 {
            return Err(Errno::EINVAL);
        }
        let count = self.count.get();
        if count == 0 {
            return Err(Errno::EAGAIN);
        }
        let taken = if self.semaphore { 1 } else { count };
        self.count.set(count - taken);
        self.waiters.wake();
        to.put(&taken.to_ne_bytes()).map(|_| ())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        if from.left < 8 {
            return Err(Errno::EINVAL);
        }
        let mut bytes = [0; 8];
        from.peek(&mut bytes)?;
        let more = u64::from_ne_bytes(bytes);
        if more > MOST {
            return Err(Errno::EINVAL);
        }
        let count = self.count.get().checked_add(more).filter(|&count| count <= MOST);
        self.count.set(count.ok_or(Errno::EAGAIN)?);
        from.advance(8);
        self.waiters.wake();
        Ok(())
    }

    fn ready(&self, _: &Open) -> Events {
        let mut events = Events::empty();
        events.set(Events::READ, self.count.get() > 0);
        events.set(Events::WRITE, self.count.get() < MOST);
        events
    }

    fn seekable(&self) -> bool {
        true
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.waiters)
    }
}

pub fn eventfd2(call: &Call) -> Result {
    let (count, flags) = (call.args[0] as u32, call.args[1] as u32);
    if flags & !(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let (count, semaphore) = (Cell::new(count.into()), flags & EFD_SEMAPHORE != 0);
    let file = Rc::new(EventFile { count, semaphore, waiters: Waiters::default() });
    let open = call.server.open_anonymous(file, Kind::Socket, O_RDWR | flags & O_NONBLOCK);
    call.process().add_descriptor(open, flags & O_CLOEXEC != 0)
}
