//! `epoll`: a file that is ready when one of those it watches is.
//!
//! Each watched file has a [`Bell`] among its waiters. When it rings, the file's key is put into a
//! list, and whoever waits looks through that list alone: it is as long as something has happened to,
//! not as what is watched. A file is taken off the list when it turns out not to be ready; and with
//! `EPOLLET` when it was reported, so that only another ring reports it again.

use super::poll::Limit;
use super::{Events, File, Open};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::process::Process;
use crate::server::Call;
use crate::signal::mask;
use crate::wait::{Outcome, Waiters};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::{Rc, Weak};
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::task::Waker;
use linux_raw_sys::general::{
    EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLET, EPOLLEXCLUSIVE,
    EPOLLONESHOT, EPOLLWAKEUP, O_CLOEXEC, O_RDWR,
};
use rt::abi::FOREVER;
use rt::sync::Lock;

/// Bytes of `struct epoll_event`, which is packed on x86-64 alone.
const EVENT: usize = if cfg!(target_arch = "x86_64") { 12 } else { 16 };
/// Events that one call reports at most.
const MOST: usize = 1024;
/// Files of this kind that may watch each other in a row.
const DEPTH: usize = 5;

/// What is watched: a descriptor, and the opening that it was.
type Key = (u32, usize);

/// A file that watches others.
pub struct Epoll {
    watched: RefCell<BTreeMap<Key, Watched>>,
    happened: Arc<Happened>,
}

/// To what something has happened, and who wants to know.
#[derive(Default)]
struct Happened {
    keys: Lock<VecDeque<Key>>,
    waiters: Waiters,
}

/// What is watched, and for what.
struct Watched {
    open: Weak<Open>,
    bell: Arc<Bell>,
    waker: Waker,
    events: Cell<u32>,
    data: Cell<u64>,
}

/// Puts a key into the list, once.
struct Bell {
    key: Key,
    listed: AtomicBool,
    happened: Arc<Happened>,
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Bell>) {
        if !self.listed.swap(true, Relaxed) {
            self.happened.keys.lock().push_back(self.key);
        }
        self.happened.waiters.wake();
    }
}

impl Watched {
    /// What it is ready for of what is asked; whatever happens from now on rings.
    fn look(&self) -> Events {
        let Some(open) = self.open.upgrade() else { return Events::empty() };
        open.file.waiters().inspect(|waiters| waiters.add(&self.waker));
        let asked = Events::from_bits_truncate(self.events.get());
        if asked.is_empty() { asked } else { open.file.ready(&open) & asked }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let open = self.open.upgrade();
        let waiters = open.as_ref().and_then(|open| open.file.waiters());
        waiters.inspect(|waiters| waiters.remove(&self.waker));
    }
}

impl Epoll {
    /// Gives up what was closed.
    fn forget_closed(&self) {
        self.watched.borrow_mut().retain(|_, watched| watched.open.strong_count() > 0);
    }

    fn add(&self, key: Key, open: &Rc<Open>, events: u32, data: u64) {
        let happened = self.happened.clone();
        let bell = Arc::new(Bell { key, listed: AtomicBool::new(false), happened });
        let (waker, open) = (Waker::from(bell.clone()), Rc::downgrade(open));
        let (events, data) = (Cell::new(events), Cell::new(data));
        let watched = Watched { open, bell, waker, events, data };
        if !watched.look().is_empty() {
            watched.waker.wake_by_ref();
        }
        self.watched.borrow_mut().insert(key, watched);
    }

    /// Reports what is ready, at most so many.
    fn collect(&self, most: usize) -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        let watched = self.watched.borrow();
        let listed = self.happened.keys.lock().len();
        for _ in 0..listed {
            if found.len() == most {
                break;
            }
            let Some(key) = self.happened.keys.lock().pop_front() else { break };
            let Some(watched) = watched.get(&key) else { continue };
            watched.bell.listed.store(false, Relaxed);
            let ready = watched.look();
            if ready.is_empty() {
                continue;
            }
            let events = watched.events.get();
            found.push((ready.bits(), watched.data.get()));
            if events & EPOLLONESHOT != 0 {
                watched.events.set(events & (EPOLLONESHOT | EPOLLET));
            } else if events & EPOLLET == 0 && !watched.bell.listed.swap(true, Relaxed) {
                self.happened.keys.lock().push_back(key);
            }
        }
        found
    }

    /// Whether something is ready; what is not leaves the list.
    fn any(&self) -> bool {
        let watched = self.watched.borrow();
        loop {
            let Some(key) = self.happened.keys.lock().front().copied() else { return false };
            let file = watched.get(&key);
            if file.is_some_and(|file| !file.look().is_empty()) {
                return true;
            }
            self.happened.keys.lock().pop_front();
            file.inspect(|file| file.bell.listed.store(false, Relaxed));
        }
    }

    /// How many in a row there are from here on; none if one of them is `other`, or if they are too
    /// many.
    fn depth(&self, other: &Epoll, left: usize) -> Option<usize> {
        if core::ptr::eq(self, other) || left == 0 {
            return None;
        }
        let mut depth = 1;
        for watched in self.watched.borrow().values() {
            let Some(open) = watched.open.upgrade() else { continue };
            if let Some(next) = open.file.downcast::<Epoll>() {
                depth = depth.max(1 + next.depth(other, left - 1)?);
            }
        }
        Some(depth)
    }
}

impl File for Epoll {
    fn ready(&self, _: &Open) -> Events {
        if self.any() { Events::READ } else { Events::empty() }
    }

    fn seekable(&self) -> bool {
        true
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.happened.waiters)
    }
}

pub fn epoll_create1(call: &Call) -> Result {
    let flags = call.args[0] as u32;
    if flags & !EPOLL_CLOEXEC != 0 {
        return Err(Errno::EINVAL);
    }
    let epoll = Epoll { watched: RefCell::default(), happened: Arc::default() };
    let open = call.server.open_anonymous(Rc::new(epoll), Kind::Socket, O_RDWR);
    call.process().add_descriptor(open, flags & O_CLOEXEC != 0)
}

pub fn epoll_ctl(call: &Call) -> Result {
    let [fd, what, number, event, ..] = call.args;
    let (process, what) = (call.process(), what as u32);
    let (mut events, mut data) = (0, 0);
    if what != EPOLL_CTL_DEL {
        let mut bytes = [0; EVENT];
        process.native.read(event, &mut bytes)?;
        (events, data) = decode(&bytes);
    }
    let (open, target) = (process.files.get(fd)?, process.files.get(number)?);
    if target.file.waiters().is_none() {
        return Err(Errno::EPERM);
    }
    let epoll = open.file.downcast::<Epoll>().filter(|_| !Rc::ptr_eq(&open, &target));
    let epoll = epoll.ok_or(Errno::EINVAL)?;
    let inner = target.file.downcast::<Epoll>();
    if events & EPOLLEXCLUSIVE != 0 {
        const WITH: u32 = EPOLLEXCLUSIVE | EPOLLET | EPOLLWAKEUP | Events::all().bits();
        let allowed = what == EPOLL_CTL_ADD && inner.is_none() && events & !WITH == 0;
        if !allowed {
            return Err(Errno::EINVAL);
        }
    }
    let key = (number as u32, Rc::as_ptr(&target) as usize);
    let always = (Events::ERR | Events::HUP).bits();
    epoll.forget_closed();
    let known = epoll.watched.borrow().contains_key(&key);
    match what {
        EPOLL_CTL_ADD if known => return Err(Errno::EEXIST),
        EPOLL_CTL_MOD | EPOLL_CTL_DEL if !known => return Err(Errno::ENOENT),
        EPOLL_CTL_ADD => {
            if inner.is_some_and(|inner| inner.depth(epoll, DEPTH).is_none()) {
                return Err(Errno::ELOOP);
            }
            epoll.add(key, &target, events | always, data);
        }
        EPOLL_CTL_MOD => {
            let watched = epoll.watched.borrow();
            let Some(watched) = watched.get(&key) else { return Err(Errno::ENOENT) };
            if watched.events.get() & EPOLLEXCLUSIVE != 0 {
                return Err(Errno::EINVAL);
            }
            watched.events.set(events | always);
            watched.data.set(data);
            if !watched.look().is_empty() {
                watched.waker.wake_by_ref();
            }
        }
        EPOLL_CTL_DEL => drop(epoll.watched.borrow_mut().remove(&key)),
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

fn decode(bytes: &[u8; EVENT]) -> (u32, u64) {
    let (events, data) = (bytes.first_chunk(), bytes.last_chunk());
    (u32::from_ne_bytes(*events.unwrap_or(&[0; 4])), u64::from_ne_bytes(*data.unwrap_or(&[0; 8])))
}

fn put(process: &Process, at: u64, found: &[(u32, u64)]) -> Result {
    let mut bytes = Vec::new();
    for (events, data) in found {
        bytes.extend_from_slice(&events.to_ne_bytes());
        bytes.resize(bytes.len() + EVENT - 12, 0);
        bytes.extend_from_slice(&data.to_ne_bytes());
    }
    process.put(at, bytes.as_slice())?;
    Ok(found.len() as u64)
}

pub fn epoll_pwait(call: &Call) -> Outcome {
    let [_, _, _, limit, mask, size] = call.args;
    match mask::read(call.process(), mask, size) {
        Ok(mask) => wait(call, Limit::milliseconds(limit).end, mask),
        Err(error) => Outcome::Done(Err(error)),
    }
}

pub fn epoll_pwait2(call: &Call) -> Outcome {
    let [_, _, _, limit, mask, size] = call.args;
    let read = || {
        let limit = Limit::timespec(call.process(), limit)?.end;
        Ok((limit, mask::read(call.process(), mask, size)?))
    };
    match read() {
        Ok((end, mask)) => wait(call, end, mask),
        Err(error) => Outcome::Done(Err(error)),
    }
}

fn wait(call: &Call, end: u64, mask: Option<u64>) -> Outcome {
    let [fd, at, most, ..] = call.args;
    let most = most as i32;
    if most <= 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let most = (most as usize).min(MOST);
    let open = match call.process().files.get(fd) {
        Ok(open) => open,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let Some(epoll) = open.file.downcast::<Epoll>() else {
        return Outcome::Done(Err(Errno::EINVAL));
    };
    let found = epoll.collect(most);
    let waits = end != 0 || mask::lets_through(&call.task, mask);
    if !found.is_empty() || !waits {
        return Outcome::Done(put(call.process(), at, &found));
    }
    call.task.signals.begin_wait(mask);
    let end = if end == 0 { FOREVER } else { end };
    let (task, server, open) = (call.task.clone(), call.server, open.clone());
    Outcome::wait_or(Errno::EINTR, async move {
        let Some(epoll) = open.file.downcast::<Epoll>() else { return Err(Errno::EINVAL) };
        let look = || Some(epoll.collect(most)).filter(|it| !it.is_empty()).ok_or(Errno::EAGAIN);
        let found = server.clock.limit(end, epoll.happened.waiters.until(look)).await;
        task.signals.end_wait();
        put(&task.process, at, &found.unwrap_or(Ok(Vec::new()))?)
    })
}
