//! Moving bytes from file to file without a guest's memory between them.

use super::{Open, io};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::server::Call;
use crate::user::{Buffer, Transfer};
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::O_APPEND;

/// Bytes that are moved at a time.
const PIECE: u64 = 64 << 10;

/// What is on its way from one file to another.
struct Pump {
    from: Rc<Open>,
    to: Rc<Open>,
    /// Where it is read, and where written, unless that is where the file's position is.
    from_at: Option<Cell<u64>>,
    to_at: Option<Cell<u64>>,
    /// Where bytes are in between.
    rest: RefCell<Vec<u8>>,
    left: Cell<u64>,
    done: Rc<Cell<u64>>,
}

impl Pump {
    /// Moves until nothing is left, or somebody would have to wait. A source with places is read again
    /// where the target took less; its place is behind what was taken.
    fn run(&self) -> Result {
        loop {
            let length = self.left.get().min(PIECE);
            let from = place(&self.from, &self.from_at);
            let mut rest = self.rest.borrow_mut();
            rest.resize(length as usize, 0);
            let read = io::read_own(&*self.from.file, &self.from, from.get(), &mut rest)?;
            if read == 0 {
                return Ok(self.done.get());
            }
            let mut transfer = Transfer::new(Buffer::Own(&mut rest[..read]));
            let to = place(&self.to, &self.to_at);
            let mut at = to.get();
            let result = self.to.file.write(&self.to, &mut at, &mut transfer);
            to.set(at);
            let moved = transfer.done;
            from.set(from.get() + moved);
            self.left.set(self.left.get() - moved);
            self.done.set(self.done.get() + moved);
            match result {
                Ok(()) if moved == 0 => return Ok(self.done.get()),
                Ok(()) | Err(Errno::EAGAIN) if self.left.get() == 0 => return Ok(self.done.get()),
                Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn place<'a>(open: &'a Open, given: &'a Option<Cell<u64>>) -> &'a Cell<u64> {
    given.as_ref().unwrap_or(&open.position)
}

/// The place that a call names by an address, if it does.
fn given(call: &Call, address: u64) -> Result<Option<Cell<u64>>> {
    if address == 0 {
        return Ok(None);
    }
    let at = call.process().get::<i64>(address)?;
    if at < 0 { Err(Errno::EINVAL) } else { Ok(Some(Cell::new(at as u64))) }
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
        let (from_at, left) = (given(call, at)?, Cell::new(length.min(io::MOST)));
        let (rest, done) = (RefCell::default(), Rc::default());
        Ok(Pump { from, to, from_at, to_at: None, rest, left, done })
    };
    let pump = match pump() {
        Ok(pump) if pump.left.get() > 0 => pump,
        Ok(_) => return Outcome::Done(Ok(0)),
        Err(error) => return Outcome::Done(Err(error)),
    };
    match pump.run() {
        Err(Errno::EAGAIN) if !pump.to.nonblocking() && pump.to.file.waiters().is_some() => {
            let call = call.clone();
            Outcome::wait_partly(pump.done.clone(), async move {
                let waiters = pump.to.file.waiters().ok_or(Errno::EAGAIN)?;
                let result = waiters.until(|| pump.run()).await;
                finish(&call, &pump, at, result)
            })
        }
        result => Outcome::Done(finish(call, &pump, at, result)),
    }
}

/// What was moved counts more than why not more was.
fn finish(call: &Call, pump: &Pump, at: u64, result: Result) -> Result {
    if result == Err(Errno::EPIPE) {
        crate::signal::send_to_task(&call.task, linux_raw_sys::general::SIGPIPE);
    }
    if let Some(place) = &pump.from_at {
        call.process().put(at, &place.get())?;
    }
    match pump.done.get() {
        0 => result,
        done => Ok(done),
    }
}

pub fn copy_file_range(call: &Call) -> Result {
    let [from, from_place, to, to_place, length, flags] = call.args;
    let process = call.process();
    let (from, to) = (process.files.get(from)?, process.files.get(to)?);
    if flags as u32 != 0 {
        return Err(Errno::EINVAL);
    }
    let (from_at, to_at) = (given(call, from_place)?, given(call, to_place)?);
    from.readable()?;
    to.writable()?;
    if from.inode.is_directory() || to.inode.is_directory() {
        return Err(Errno::EISDIR);
    }
    let regular = |open: &Open| matches!(open.inode.kind, Kind::Regular(_));
    if !regular(&from) || !regular(&to) {
        return Err(Errno::EINVAL);
    }
    if to.flags.get() & O_APPEND != 0 {
        return Err(Errno::EBADF);
    }
    let (start, target) = (place(&from, &from_at).get(), place(&to, &to_at).get());
    let length = length.min(from.inode.size().saturating_sub(start)).min(io::MOST);
    if from.inode.is(&to.inode) && start.abs_diff(target) < length {
        return Err(Errno::EINVAL);
    }
    let end = target.checked_add(length).ok_or(Errno::EOVERFLOW)?;
    super::size::limit(process, end)?;
    let (rest, done) = (RefCell::default(), Rc::default());
    let pump = Pump { from, to, from_at, to_at, rest, left: Cell::new(length), done };
    let result = if length > 0 { pump.run() } else { Ok(0) };
    if let Some(place) = &pump.from_at {
        process.put(from_place, &place.get())?;
    }
    if let Some(place) = &pump.to_at {
        process.put(to_place, &place.get())?;
    }
    if pump.done.get() > 0 { Ok(pump.done.get()) } else { result }
}

/// Programs that hear this read and write instead.
pub fn splice(_: &Call) -> Result {
    Err(Errno::EINVAL)
}
