//! Sockets that are sent through sockets. One that is nowhere but in messages, which only such sockets
//! could receive, is held by nobody but itself: those are found here, and their messages dropped.

use super::{Along, Socket};
use crate::file::Open;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// Sockets with such messages, from which on more are not kept without a look.
const MANY: usize = 64;

/// The sockets whose messages have sockets along.
#[derive(Default)]
pub struct Flights {
    carriers: RefCell<Vec<Weak<Socket>>>,
    /// It is being looked.
    collecting: Cell<bool>,
    /// How many there may be before the next look.
    patience: Cell<usize>,
}

/// A socket on its way: its opening, and in how many messages that is.
struct Flying {
    open: Rc<Open>,
    times: usize,
}

fn socket_of(open: &Open) -> Option<&Socket> {
    open.file.downcast()
}

/// Whether sockets go along.
pub fn has_sockets(along: &Along) -> bool {
    along.files.iter().any(|open| socket_of(open).is_some())
}

/// What tells a socket from others.
fn key(socket: &Socket) -> *const Socket {
    socket
}

impl Socket {
    /// Does something with each socket in its messages.
    fn each_flying(&self, mut act: impl FnMut(&Rc<Open>, &Socket)) {
        for message in &self.inbox.borrow().messages {
            for open in &message.along.files {
                socket_of(open).inspect(|socket| act(open, socket));
            }
        }
    }
}

impl Flights {
    /// A socket has a message with sockets now.
    pub fn note(&self, carrier: &Rc<Socket>) {
        let mut carriers = self.carriers.borrow_mut();
        if carriers.iter().any(|known| known.ptr_eq(&carrier.itself)) {
            return;
        }
        carriers.push(carrier.itself.clone());
        let many = carriers.len() > self.patience.get().max(MANY);
        drop(carriers);
        if many {
            self.collect();
            self.patience.set(2 * self.carriers.borrow().len());
        }
    }

    /// Drops the messages that nobody can receive any more.
    pub fn collect(&self) {
        if self.carriers.borrow().is_empty() || self.collecting.replace(true) {
            return;
        }
        // What is dropped may have been the last of others.
        while let garbage @ [_, ..] = self.garbage().as_slice() {
            for socket in garbage {
                let files = socket.inbox.borrow_mut().take_files();
                drop(files);
            }
        }
        self.collecting.set(false);
    }

    /// The sockets that only messages have which nobody can receive.
    fn garbage(&self) -> Vec<Rc<Socket>> {
        let carriers = self.still();
        let mut flying = BTreeMap::<_, Flying>::new();
        for carrier in &carriers {
            carrier.each_flying(|open, socket| {
                let new = || Flying { open: open.clone(), times: 0 };
                flying.entry(key(socket)).or_insert_with(new).times += 1;
            });
        }
        // One more is the map's own.
        let held = |it: &Flying| Rc::strong_count(&it.open) > it.times + 1;
        let alive = |socket: &Socket| flying.get(&key(socket)).is_none_or(held);
        let mut reached: BTreeSet<_> = BTreeSet::new();
        let mut next: Vec<_> = carriers.iter().filter(|it| alive(it)).cloned().collect();
        while let Some(socket) = next.pop() {
            if reached.insert(key(&socket)) {
                socket.each_flying(|_, other| next.extend(other.itself.upgrade()));
            }
        }
        carriers.into_iter().filter(|carrier| !reached.contains(&key(carrier))).collect()
    }

    /// Those that have such messages still; others are forgotten.
    fn still(&self) -> Vec<Rc<Socket>> {
        let mut sockets = Vec::new();
        self.carriers.borrow_mut().retain(|carrier| {
            let Some(socket) = carrier.upgrade() else { return false };
            let mut any = false;
            socket.each_flying(|_, _| any = true);
            if any {
                sockets.push(socket);
            }
            any
        });
        sockets
    }
}
