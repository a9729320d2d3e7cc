//! Waiting for a word of memory, and the locks of threads that end.
//!
//! This server alone compares words and queues who waits, so nobody is woken between the two.

use crate::errno::{Errno, Result};
use crate::process::{Process, Task};
use crate::server::{Call, Server};
use crate::time;
use crate::wait::{Outcome, Wait};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll};
use linux_raw_sys::general::{
    FUTEX_BITSET_MATCH_ANY, FUTEX_CLOCK_REALTIME, FUTEX_CMP_REQUEUE, FUTEX_OP_ADD, FUTEX_OP_ANDN,
    FUTEX_OP_CMP_EQ, FUTEX_OP_CMP_GE, FUTEX_OP_CMP_GT, FUTEX_OP_CMP_LE, FUTEX_OP_CMP_LT,
    FUTEX_OP_CMP_NE, FUTEX_OP_OR, FUTEX_OP_SET, FUTEX_OP_XOR, FUTEX_OWNER_DIED, FUTEX_PRIVATE_FLAG,
    FUTEX_REQUEUE, FUTEX_TID_MASK, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAITERS, FUTEX_WAKE,
    FUTEX_WAKE_BITSET, FUTEX_WAKE_OP,
};
use rt::abi::FOREVER;

/// Entries of a list of robust locks that are looked at.
const ROBUST_MOST: usize = 2048;
/// Bytes of the head of such a list.
const ROBUST_HEAD: u64 = 24;

/// Which word: an address of a process, or a place in what several share.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Private(u64, u64),
    Shared(u64, u64),
}

/// Lists of those that wait.
const LISTS: usize = 64;

/// Those that wait for words: in the list of the word's key, in order of arrival.
pub struct Futexes([RefCell<Vec<Rc<Waiter>>>; LISTS]);

impl Default for Futexes {
    fn default() -> Futexes {
        Futexes([const { RefCell::new(Vec::new()) }; LISTS])
    }
}

struct Waiter {
    key: Cell<Key>,
    bits: u32,
    woken: Cell<bool>,
    task: Rc<Task>,
}

impl Key {
    /// The list that those are in who wait for it.
    fn list(self) -> usize {
        let (Key::Private(number, place) | Key::Shared(number, place)) = self;
        (number ^ place >> 2 ^ place >> 8) as usize % LISTS
    }
}

impl Futexes {
    fn list(&self, key: Key) -> &RefCell<Vec<Rc<Waiter>>> {
        &self.0[key.list()]
    }

    fn forget(&self, waiter: &Rc<Waiter>) {
        self.list(waiter.key.get()).borrow_mut().retain(|other| !Rc::ptr_eq(other, waiter));
    }

    /// Wakes at most so many of those who wait for any of these bits; how many.
    fn wake(&self, key: Key, most: u64, bits: u32) -> u64 {
        let mut count = 0;
        self.list(key).borrow_mut().retain(|waiter| {
            let wakes = count < most && waiter.key.get() == key && waiter.bits & bits != 0;
            if wakes {
                count += 1;
                waiter.woken.set(true);
                waiter.task.waker.wake_by_ref();
            }
            !wakes
        });
        count
    }

    /// Lets at most so many wait for another word; how many.
    fn requeue(&self, from: Key, to: Key, most: u64) -> u64 {
        let mut moved = Vec::new();
        self.list(from).borrow_mut().retain(|waiter| {
            let moves = (moved.len() as u64) < most && waiter.key.get() == from;
            if moves {
                waiter.key.set(to);
                moved.push(waiter.clone());
            }
            !moves
        });
        let count = moved.len() as u64;
        self.list(to).borrow_mut().append(&mut moved);
        count
    }
}

/// A wait, which is over when this is dropped.
struct Waits {
    waiter: Rc<Waiter>,
    deadline: u64,
    /// What the clock calls the deadline, once it knows of it.
    alarm: Option<(u64, u64)>,
}

impl Waits {
    fn server(&self) -> &'static Server {
        self.waiter.task.process.server
    }
}

impl Future for Waits {
    type Output = Result;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result> {
        if self.waiter.woken.get() {
            return Poll::Ready(Ok(0));
        }
        if self.deadline != FOREVER {
            if rt::time::now() >= self.deadline {
                return Poll::Ready(Err(Errno::ETIMEDOUT));
            }
            if self.alarm.is_none() {
                let clock = &self.server().clock;
                self.alarm = Some(clock.wake_at(self.deadline, &self.waiter.task.waker));
            }
        }
        Poll::Pending
    }
}

impl Wait for Waits {
    fn interrupted(&self) -> Option<Result> {
        Some(Err(match self.deadline {
            FOREVER => Errno::RESTART,
            _ => Errno::RESTART_WITHOUT_HANDLER,
        }))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        if !self.waiter.woken.get() {
            self.server().futexes.forget(&self.waiter);
        }
        self.alarm.inspect(|&key| self.server().clock.forget(key));
    }
}

/// Which word an address names.
fn key(process: &Process, address: u64, private: bool) -> Result<Key> {
    if !address.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    if !private {
        process.get::<u32>(address)?;
        if let Some((object, offset)) = process.space.borrow().shared_place(address) {
            return Ok(Key::Shared(object, offset));
        }
    }
    Ok(Key::Private(process.pid.into(), address))
}

pub fn futex(call: &Call) -> Outcome {
    let [address, operation, value, timeout, second, third] = call.args;
    let operation = operation as u32;
    let private = operation & FUTEX_PRIVATE_FLAG != 0;
    let realtime = operation & FUTEX_CLOCK_REALTIME != 0;
    let command = operation & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    if realtime && command != FUTEX_WAIT_BITSET {
        return Outcome::Done(Err(Errno::ENOSYS));
    }
    let bits = match command {
        FUTEX_WAIT_BITSET | FUTEX_WAKE_BITSET => third as u32,
        _ => FUTEX_BITSET_MATCH_ANY,
    };
    let process = call.process();
    let first = || key(process, address, private);
    let result = match command {
        FUTEX_WAIT | FUTEX_WAIT_BITSET => {
            let absolute = (command == FUTEX_WAIT_BITSET).then_some(realtime);
            let deadline = deadline(process, timeout, absolute);
            return match deadline.and_then(|end| begin(call, value as u32, bits, private, end)) {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Done(Err(error)),
            };
        }
        FUTEX_WAKE | FUTEX_WAKE_BITSET if bits == 0 => Err(Errno::EINVAL),
        FUTEX_WAKE | FUTEX_WAKE_BITSET => {
            first().map(|key| call.server.futexes.wake(key, at_least_one(value), bits))
        }
        FUTEX_REQUEUE => requeue(call, private, None),
        FUTEX_CMP_REQUEUE => requeue(call, private, Some(third as u32)),
        FUTEX_WAKE_OP => {
            let then = || Ok((first()?, key(process, second, private)?));
            then().and_then(|keys| wake_op(call, keys))
        }
        _ => Err(Errno::ENOSYS),
    };
    Outcome::Done(result)
}

/// Linux wakes one even if none is asked for.
fn at_least_one(count: u64) -> u64 {
    (count as i32).max(1) as u64
}

/// When a wait ends: after so long, or at a moment of the realtime clock or the monotonic one.
fn deadline(process: &Process, at: u64, absolute: Option<bool>) -> Result {
    if at == 0 {
        return Ok(FOREVER);
    }
    let time = time::timespec(process, at)?;
    Ok(match absolute {
        None => rt::time::now().saturating_add(time),
        Some(true) => time::monotonic(time),
        Some(false) => time,
    })
}

fn begin(call: &Call, expected: u32, bits: u32, private: bool, deadline: u64) -> Result<Outcome> {
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    let (process, server) = (call.process(), call.server);
    let key = key(process, call.args[0], private)?;
    if process.get::<u32>(call.args[0])? != expected {
        return Err(Errno::EAGAIN);
    }
    let (key, task) = (Cell::new(key), call.task.clone());
    let waiter = Rc::new(Waiter { key, bits, woken: Cell::new(false), task });
    server.futexes.list(waiter.key.get()).borrow_mut().push(waiter.clone());
    Ok(Outcome::Wait(Box::pin(Waits { waiter, deadline, alarm: None })))
}

fn requeue(call: &Call, private: bool, expected: Option<u32>) -> Result {
    let [address, _, wakes, moves, second, _] = call.args;
    let (process, futexes) = (call.process(), &call.server.futexes);
    if (wakes as i32) < 0 || (moves as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    let (from, to) = (key(process, address, private)?, key(process, second, private)?);
    if let Some(expected) = expected
        && process.get::<u32>(address)? != expected
    {
        return Err(Errno::EAGAIN);
    }
    let woken = futexes.wake(from, wakes as u32 as u64, FUTEX_BITSET_MATCH_ANY);
    let moved = if from == to { 0 } else { futexes.requeue(from, to, moves as u32 as u64) };
    Ok(woken + moved)
}

fn wake_op(call: &Call, (first, second): (Key, Key)) -> Result {
    let [_, _, value, more, address, code] = call.args;
    let (process, code) = (call.process(), code as u32);
    let signed = |shift: u32| (((code >> shift & 0xfff) << 20) as i32) >> 20;
    let (operation, comparison) = (code >> 28 & 7, code >> 24 & 0xf);
    let (mut operand, right) = (signed(12), signed(0));
    if code >> 31 != 0 {
        operand = 1i32.wrapping_shl(operand as u32);
    }
    let old: i32 = process.get::<u32>(address)? as i32;
    let new = match operation {
        FUTEX_OP_SET => operand,
        FUTEX_OP_ADD => old.wrapping_add(operand),
        FUTEX_OP_OR => old | operand,
        FUTEX_OP_ANDN => old & !operand,
        FUTEX_OP_XOR => old ^ operand,
        _ => return Err(Errno::ENOSYS),
    };
    process.put(address, &new)?;
    let holds = match comparison {
        FUTEX_OP_CMP_EQ => old == right,
        FUTEX_OP_CMP_NE => old != right,
        FUTEX_OP_CMP_LT => old < right,
        FUTEX_OP_CMP_LE => old <= right,
        FUTEX_OP_CMP_GT => old > right,
        FUTEX_OP_CMP_GE => old >= right,
        _ => return Err(Errno::ENOSYS),
    };
    let futexes = &call.server.futexes;
    let woken = futexes.wake(first, at_least_one(value), FUTEX_BITSET_MATCH_ANY);
    let more = if holds { at_least_one(more) } else { 0 };
    Ok(woken + futexes.wake(second, more, FUTEX_BITSET_MATCH_ANY))
}

pub fn set_robust_list(call: &Call) -> Result {
    let [head, length, ..] = call.args;
    if length != ROBUST_HEAD {
        return Err(Errno::EINVAL);
    }
    call.task.robust.set(head);
    Ok(0)
}

pub fn get_robust_list(call: &Call) -> Result {
    let [tid, head, length, ..] = call.args;
    let task = match tid as u32 {
        0 => call.task.clone(),
        tid => call.server.task(tid).ok_or(Errno::ESRCH)?,
    };
    let same = task.process.ids.borrow().users == call.process().ids.borrow().users;
    if !same && !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    call.process().put(length, &ROBUST_HEAD)?;
    call.process().put(head, &task.robust.get()).map(|()| 0)
}

/// A thread ends: whoever waits for that, or for its locks, hears of it. What it left in memory may be
/// anything.
pub fn task_ends(task: &Rc<Task>) {
    if task.robust.get() != 0 {
        let _ = release_locks(task, task.robust.get());
    }
    let address = task.clear_tid.get();
    if address != 0 && task.process.is_alive() && task.process.put(address, &0u32).is_ok() {
        wake_one(task, address);
    }
}

fn wake_one(task: &Task, address: u64) {
    if let Ok(key) = key(&task.process, address, false) {
        task.process.server.futexes.wake(key, 1, FUTEX_BITSET_MATCH_ANY);
    }
}

/// Walks a list of locks that a thread has: next, where the word is, and one about to be added.
fn release_locks(task: &Task, head: u64) -> Result<()> {
    let [mut entry, offset, adding] = task.process.get::<[u64; 3]>(head)?;
    for _ in 0..ROBUST_MOST {
        if entry & !1 == head {
            break;
        }
        let next = task.process.get(entry & !1);
        if entry & !1 != adding & !1 {
            release(task, (entry & !1).wrapping_add(offset))?;
        }
        entry = next?;
    }
    if adding & !1 != 0 {
        release(task, (adding & !1).wrapping_add(offset))?;
    }
    Ok(())
}

fn release(task: &Task, address: u64) -> Result<()> {
    let word: u32 = task.process.get(address)?;
    if word & FUTEX_TID_MASK == task.tid.get() {
        task.process.put(address, &(word & FUTEX_WAITERS | FUTEX_OWNER_DIED))?;
        if word & FUTEX_WAITERS != 0 {
            wake_one(task, address);
        }
    }
    Ok(())
}
