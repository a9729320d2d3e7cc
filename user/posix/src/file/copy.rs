//! Moving bytes from file to file without a guest's memory between them.

use super::pipe::PipeEnd;
use super::{Events, Open, io};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::server::Call;
use crate::user::{Buffer, Transfer};
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Context, Poll};
use linux_raw_sys::general::{
    O_APPEND, SIGPIPE, SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK,
};

/// Bytes that are moved at a time.
const PIECE: u64 = 64 << 10;

/// One side: a file, and the place in it with the address that it came from, if that is not the
/// file's position.
struct Side {
    open: Rc<Open>,
    given: Option<(Cell<u64>, u64)>,
}

impl Side {
    /// A side, with a place if there is an address of one.
    fn new(call: &Call, open: Rc<Open>, address: u64) -> Result<Side> {
        if address == 0 {
            return Ok(Side { open, given: None });
        }
        let at = call.process().get::<i64>(address)?;
        if at < 0 {
            return Err(Errno::EINVAL);
        }
        Ok(Side { open, given: Some((Cell::new(at as u64), address)) })
    }

    fn place(&self) -> &Cell<u64> {
        self.given.as_ref().map_or(&self.open.position, |(place, _)| place)
    }

    fn pipe(&self) -> Option<&PipeEnd> {
        self.open.file.downcast()
    }

    /// Tells the caller where it goes on.
    fn tell(&self, call: &Call) -> Result<()> {
        match &self.given {
            Some((place, address)) => call.process().put(*address, &place.get()),
            None => Ok(()),
        }
    }
}

/// How much is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Amount {
    /// All, however long it takes.
    All,
    /// What there is, if that is something.
    Some,
    /// The same, and it stays in the source, too.
    Copy,
}

/// What is on its way from one file to another.
struct Pump {
    from: Side,
    to: Side,
    left: Cell<u64>,
    done: Rc<Cell<u64>>,
    amount: Amount,
    /// Where bytes are in between.
    between: RefCell<Vec<u8>>,
}

impl Pump {
    fn new(from: Side, to: Side, length: u64, amount: Amount) -> Pump {
        let (left, done) = (Cell::new(length.min(io::MOST)), Rc::default());
        Pump { from, to, left, done, amount, between: RefCell::default() }
    }

    /// Moves until nothing is left, the source has no more, or somebody would have to wait.
    fn run(&self) -> Result<()> {
        match self.move_pieces() {
            // The call is made again from its beginning: what is done would be done twice.
            Err(Errno::LATER) if self.done.get() > 0 => Ok(()),
            Err(Errno::EAGAIN) if self.amount != Amount::All && self.done.get() > 0 => Ok(()),
            result => result,
        }
    }

    fn move_pieces(&self) -> Result<()> {
        while self.left.get() > 0 {
            let mut bytes = self.between.borrow_mut();
            bytes.resize(self.left.get().min(PIECE) as usize, 0);
            let (Side { open: from, .. }, Side { open: to, .. }) = (&self.from, &self.to);
            if !to.file.ready(to).intersects(Events::OUT | Events::ERR) {
                return Err(Errno::EAGAIN);
            }
            let read = io::read_own(&*from.file, from, self.from.place().get(), &mut bytes)?;
            if read == 0 {
                return Ok(());
            }
            let mut transfer = Transfer::new(Buffer::Own(&mut bytes[..read]));
            let mut at = self.to.place().get();
            let result = to.file.write(to, &mut at, &mut transfer);
            let moved = transfer.done;
            self.to.place().set(at);
            let kept = if self.amount == Amount::Copy { 0 } else { moved as usize };
            match self.from.pipe() {
                Some(pipe) => pipe.0.put_back(&bytes[kept..read]),
                None => self.from.place().set(self.from.place().get() + moved),
            }
            self.left.set(self.left.get() - moved);
            self.done.set(self.done.get() + moved);
            match result {
                _ if self.amount == Amount::Copy && moved > 0 => return Ok(()),
                Err(Errno::EAGAIN) if moved > 0 => {}
                Ok(()) if moved == 0 => return Ok(()),
                result => result?,
            }
        }
        Ok(())
    }

    /// The same, to be woken when one of the two sides has changed.
    fn poll(&self, context: &Context<'_>) -> Poll<Result<()>> {
        match self.run() {
            Err(Errno::EAGAIN) => {
                for side in [&self.from, &self.to] {
                    side.open.file.waiters().inspect(|waiters| waiters.add(context.waker()));
                }
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    /// What was moved counts more than why not more was.
    fn finish(&self, call: &Call, result: Result<()>) -> Result {
        if result == Err(Errno::EPIPE) {
            crate::signal::send_to_task(&call.task, SIGPIPE);
        }
        self.from.tell(call)?;
        self.to.tell(call)?;
        match self.done.get() {
            0 => result.map(|()| 0),
            done => Ok(done),
        }
    }

    /// Moves, and waits if that is wished.
    fn start(self, call: &Call, wait: bool) -> Outcome {
        match self.run() {
            Err(Errno::EAGAIN) if wait => {
                let call = call.clone();
                Outcome::wait_partly(self.done.clone(), async move {
                    let result = poll_fn(|context| self.poll(context)).await;
                    self.finish(&call, result)
                })
            }
            result => Outcome::Done(self.finish(call, result)),
        }
    }
}

pub fn sendfile(call: &Call) -> Outcome {
    let [to, from, at, length, ..] = call.args;
    let pump = || {
        let files = &call.process().files;
        let (from, to) = (files.get(from)?, files.get(to)?);
        from.readable()?;
        to.writable()?;
        if !from.file.seekable() || from.inode.is_directory() || to.flags.get() & O_APPEND != 0 {
            return Err(Errno::EINVAL);
        }
        Ok(Pump::new(
            Side::new(call, from, at)?,
            Side { open: to, given: None },
            length,
            Amount::All,
        ))
    };
    match pump() {
        Ok(pump) => {
            let wait = !pump.to.open.nonblocking();
            pump.start(call, wait)
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

pub fn splice(call: &Call) -> Outcome {
    let [from, from_at, to, to_at, length, flags] = call.args;
    let flags = flags as u32;
    let pump = || {
        if flags & !(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT) != 0 {
            return Err(Errno::EINVAL);
        }
        let files = &call.process().files;
        let (from, to) = (files.get(from)?, files.get(to)?);
        from.readable()?;
        to.writable()?;
        let pipe = |open: &Open| open.file.downcast::<PipeEnd>().is_some();
        if pipe(&from) && from_at != 0 || pipe(&to) && to_at != 0 {
            return Err(Errno::ESPIPE);
        }
        let other = if pipe(&from) { &to } else { &from };
        let regular = matches!(other.inode.kind, Kind::Regular(_)) && other.file.seekable();
        if !pipe(&from) && !pipe(&to) || !pipe(other) && !regular {
            return Err(Errno::EINVAL);
        }
        if !pipe(&to) && to.flags.get() & O_APPEND != 0 {
            return Err(Errno::EINVAL);
        }
        Ok(Pump::new(
            Side::new(call, from, from_at)?,
            Side::new(call, to, to_at)?,
            length,
            Amount::Some,
        ))
    };
    match pump() {
        Ok(pump) => {
            let (from, to) = (&pump.from, &pump.to);
            let nonblocking = from.pipe().is_some() && from.open.nonblocking()
                || to.pipe().is_some() && to.open.nonblocking();
            pump.start(call, flags & SPLICE_F_NONBLOCK == 0 && !nonblocking)
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

pub fn copy_file_range(call: &Call) -> Result {
    let [from, from_at, to, to_at, length, flags] = call.args;
    let process = call.process();
    let (from, to) = (process.files.get(from)?, process.files.get(to)?);
    if flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let (from, to) = (Side::new(call, from, from_at)?, Side::new(call, to, to_at)?);
    from.open.readable()?;
    to.open.writable()?;
    let kinds = [&from.open.inode.kind, &to.open.inode.kind];
    if kinds.iter().any(|kind| matches!(kind, Kind::Directory(_))) {
        return Err(Errno::EISDIR);
    }
    if !kinds.iter().all(|kind| matches!(kind, Kind::Regular(_))) {
        return Err(Errno::EINVAL);
    }
    if to.open.flags.get() & O_APPEND != 0 {
        return Err(Errno::EBADF);
    }
    let (start, target) = (from.place().get(), to.place().get());
    let length = length.min(from.open.inode.size().saturating_sub(start)).min(io::MOST);
    if from.open.inode.is(&to.open.inode) && start.abs_diff(target) < length {
        return Err(Errno::EINVAL);
    }
    super::size::limit(process, target.checked_add(length).ok_or(Errno::EOVERFLOW)?)?;
    let pump = Pump::new(from, to, length, Amount::Some);
    let result = pump.run();
    pump.finish(call, result)
}

/// Copies what is in one pipe into another, and leaves it where it is.
pub fn tee(call: &Call) -> Outcome {
    let [from, to, length, flags, ..] = call.args;
    let flags = flags as u32;
    let ends = || {
        let files = &call.process().files;
        let (from, to) = (files.get(from)?, files.get(to)?);
        if flags & !(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT) != 0 {
            return Err(Errno::EINVAL);
        }
        from.readable()?;
        to.writable()?;
        let pipes = [&from, &to].map(|open| open.file.downcast::<PipeEnd>());
        match pipes {
            [Some(one), Some(other)] if !Rc::ptr_eq(&one.0, &other.0) => Ok(Pump::new(
                Side { open: from, given: None },
                Side { open: to, given: None },
                length,
                Amount::Copy,
            )),
            _ => Err(Errno::EINVAL),
        }
    };
    match ends() {
        Ok(pump) => {
            let nonblocking = pump.from.open.nonblocking() || pump.to.open.nonblocking();
            pump.start(call, flags & SPLICE_F_NONBLOCK == 0 && !nonblocking)
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}
