//! Waiting for several files: `poll` and `select`, with a limit of time and a mask of signals.
//!
//! All of them are a list of [`Watch`]es, which is looked at now, and again whenever one of its files
//! has something to tell.

use super::{Events, Open};
use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::Call;
use crate::signal::mask;
use crate::time::{split, timespec};
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use linux_raw_sys::general::RLIMIT_NOFILE;
use rt::abi::FOREVER;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Descriptors of one call that are looked at without a list on the heap.
const FEW: usize = 16;

/// `struct pollfd`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Watch {
    fd: i32,
    events: u16,
    found: u16,
}

impl Watch {
    /// Whether `poll` reports it.
    fn found(&self) -> bool {
        self.found != 0
    }

    /// Whether the set of `select` has its bit that asks for this, and gets that.
    fn selected(&self, (asks, gets): (Events, Events)) -> bool {
        let asked = Events::from_bits_retain(self.events.into()).contains(asks);
        asked && Events::from_bits_retain(self.found.into()).intersects(gets)
    }

    /// Whether `select` reports it.
    fn selected_by_any(&self) -> bool {
        SETS.iter().any(|&set| self.selected(set))
    }
}

/// How long a call waits.
#[derive(Clone, Copy)]
pub struct Limit {
    /// Until when; 0 if not at all.
    pub end: u64,
    /// Where what is left of it goes, if anywhere.
    pub at: u64,
    /// Nanoseconds of the second word there.
    pub part: u64,
}

impl Limit {
    /// So many nanoseconds, or for ever, or not at all.
    pub fn new(nanoseconds: u64) -> Limit {
        let end = match nanoseconds {
            0 | FOREVER => nanoseconds,
            some => rt::time::now().saturating_add(some),
        };
        Limit { end, at: 0, part: 1 }
    }

    /// That of a `struct timespec`, for ever if there is none.
    pub fn timespec(process: &Process, at: u64) -> Result<Limit> {
        let wish = if at == 0 { FOREVER } else { timespec(process, at)? };
        Ok(Limit { at, ..Limit::new(wish) })
    }

    /// So many milliseconds, or for ever if they are negative.
    pub fn milliseconds(count: u64) -> Limit {
        Limit::new(u64::try_from(count as i32).map_or(FOREVER, |count| count * 1_000_000))
    }

    /// Says what is left. Linux does not mind if that cannot be written either.
    fn tell(self, process: &Process) {
        if self.at != 0 && self.end != 0 && self.end != FOREVER {
            let left = self.end.saturating_sub(rt::time::now());
            let _ = process.put(self.at, &split(left, self.part));
        }
    }
}

pub fn ppoll(call: &Call) -> Outcome {
    let [watches, count, limit, mask, size, ..] = call.args;
    let read = || {
        let limit = Limit::timespec(call.process(), limit)?;
        Ok((limit, mask::read(call.process(), mask, size)?))
    };
    match read() {
        Ok((limit, mask)) => poll_with(call, watches, count, limit, mask),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// `poll` with whatever limit and mask.
pub fn poll_with(call: &Call, at: u64, count: u64, limit: Limit, mask: Option<u64>) -> Outcome {
    let process = call.process();
    let count = count as u32 as usize;
    if count as u64 > process.limits.borrow()[RLIMIT_NOFILE as usize][0] {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let (mut few, mut many) = ([Watch::default(); FEW], Vec::new());
    let watches = if count <= FEW {
        &mut few[..count]
    } else {
        many.resize(count, Watch::default());
        &mut many[..]
    };
    let mut first_look = || {
        if count > 0 {
            process.native.read(at, watches.as_mut_bytes())?;
        }
        Ok(look(process, watches, Watch::found))
    };
    match first_look() {
        Ok(0) if limit.end != 0 || mask::lets_through(&call.task, mask) => {
            let watches = watches.to_vec();
            wait(call, watches, limit, mask, Watch::found, move |process, watches, found| {
                put_watches(process, at, watches).map(|()| found)
            })
        }
        Ok(found) => {
            limit.tell(process);
            Outcome::Done(put_watches(process, at, watches).map(|()| found))
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

fn put_watches(process: &Process, at: u64, watches: &[Watch]) -> Result<()> {
    if watches.is_empty() { Ok(()) } else { process.put(at, watches) }
}

/// Notes what each file is ready for; how many are for something that counts.
fn look(process: &Process, watches: &mut [Watch], counts: fn(&Watch) -> bool) -> u64 {
    let mut found = 0;
    for watch in watches {
        let events = match process.files.get(watch.fd as u64) {
            _ if watch.fd < 0 => Events::empty(),
            Ok(open) => {
                let wanted = Events::from_bits_retain(watch.events.into());
                open.file.ready(&open) & (wanted | Events::ERR | Events::HUP)
            }
            Err(_) => Events::NVAL,
        };
        watch.found = events.bits() as u16;
        found += u64::from(counts(watch));
    }
    found
}

/// Files that a task waits for, until that is over.
struct Watched<'a> {
    opens: Vec<Rc<Open>>,
    waker: &'a Waker,
}

impl Watched<'_> {
    fn begin(&self) {
        let waiters = self.opens.iter().filter_map(|open| open.file.waiters());
        waiters.for_each(|waiters| waiters.add(self.waker));
    }

    fn end(&mut self) {
        let waiters = self.opens.iter().filter_map(|open| open.file.waiters());
        waiters.for_each(|waiters| waiters.remove(self.waker));
        self.opens.clear();
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Looks again at every change, until something is ready or the time is over; if there was none, until
/// the signal is delivered that is about to be.
fn wait(
    call: &Call,
    mut watches: Vec<Watch>,
    limit: Limit,
    mask: Option<u64>,
    counts: fn(&Watch) -> bool,
    finish: impl Fn(&Process, &[Watch], u64) -> Result + 'static,
) -> Outcome {
    call.task.signals.begin_wait(mask);
    let end = if limit.end == 0 { FOREVER } else { limit.end };
    let (task, server, told) = (call.task.clone(), call.server, call.clone());
    let future = async move {
        let process = &task.process;
        let mut watched = Watched { opens: Vec::new(), waker: &task.waker };
        let ready = poll_fn(|_| {
            let found = look(process, &mut watches, counts);
            if found > 0 {
                return Poll::Ready(found);
            }
            watched.end();
            let opens = watches.iter().filter_map(|watch| process.files.get(watch.fd as u64).ok());
            watched.opens.extend(opens);
            watched.begin();
            Poll::Pending
        });
        let found = server.clock.limit(end, ready).await.unwrap_or(0);
        task.signals.end_wait();
        limit.tell(process);
        finish(process, &watches, found)
    };
    let interrupted = move || {
        limit.tell(told.process());
        Err(Errno::RESTART_WITHOUT_HANDLER)
    };
    Outcome::wait_with(move || Some(interrupted()), future)
}

/// What the three sets of `select` ask for, and what they get.
const SETS: [(Events, Events); 3] = [
    (Events::READ, Events::READ.union(Events::HUP).union(Events::ERR)),
    (Events::WRITE, Events::WRITE.union(Events::ERR)),
    (Events::PRI, Events::PRI),
];

/// Where the sets of a `select` are, and how many words each has.
#[derive(Clone, Copy)]
struct Sets {
    at: [u64; 3],
    words: usize,
}

impl Sets {
    fn read(&self, process: &Process) -> Result<[Vec<u64>; 3]> {
        let mut sets = [const { Vec::new() }; 3];
        for (set, at) in sets.iter_mut().zip(self.at) {
            set.resize(self.words, 0);
            if at != 0 && self.words > 0 {
                process.native.read(at, set.as_mut_slice().as_mut_bytes())?;
            }
        }
        Ok(sets)
    }

    /// A watch for each descriptor in any of the sets below `count`.
    fn watches(&self, process: &Process, count: usize) -> Result<Vec<Watch>> {
        let sets = self.read(process)?;
        let mut watches = Vec::new();
        for fd in 0..count {
            let mut events = Events::empty();
            for (set, (asked, _)) in sets.iter().zip(SETS) {
                let bit = set.get(fd / 64).is_some_and(|word| word >> (fd % 64) & 1 != 0);
                events.set(asked, bit);
            }
            if !events.is_empty() {
                process.files.get(fd as u64)?;
                watches.push(Watch { fd: fd as i32, events: events.bits() as u16, found: 0 });
            }
        }
        Ok(watches)
    }

    /// Writes the sets of what is ready; how many bits they have.
    fn write(&self, process: &Process, watches: &[Watch]) -> Result {
        let mut count = 0;
        for (at, kind) in self.at.into_iter().zip(SETS) {
            let mut set = alloc::vec![0u64; self.words];
            for watch in watches.iter().filter(|watch| watch.selected(kind)) {
                if let Some(word) = set.get_mut(watch.fd as usize / 64) {
                    *word |= 1 << (watch.fd % 64);
                    count += 1;
                }
            }
            if at != 0 && self.words > 0 {
                process.put(at, set.as_slice())?;
            }
        }
        Ok(count)
    }
}

pub fn pselect6(call: &Call) -> Outcome {
    let [.., limit, pair] = call.args;
    let read = || {
        let process = call.process();
        let [mask, size] = if pair == 0 { [0; 2] } else { process.get::<[u64; 2]>(pair)? };
        let limit = Limit::timespec(process, limit)?;
        Ok((limit, mask::read(process, mask, size)?))
    };
    match read() {
        Ok((limit, mask)) => select_with(call, limit, mask),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// `select` with whatever limit and mask.
pub fn select_with(call: &Call, limit: Limit, mask: Option<u64>) -> Outcome {
    let [count, readable, writable, exceptional, ..] = call.args;
    let process = call.process();
    if (count as i32) < 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let there = process.files.length().next_multiple_of(64);
    let count = u64::from(count as u32).min(there) as usize;
    let sets = Sets { at: [readable, writable, exceptional], words: count.div_ceil(64) };
    let mut watches = match sets.watches(process, count) {
        Ok(watches) => watches,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let waits = limit.end != 0 || mask::lets_through(&call.task, mask);
    if look(process, &mut watches, Watch::selected_by_any) > 0 || !waits {
        limit.tell(process);
        return Outcome::Done(sets.write(process, &watches));
    }
    let finish = move |process: &Process, watches: &[Watch], _| sets.write(process, watches);
    wait(call, watches, limit, mask, Watch::selected_by_any, finish)
}
