//! A read or write that waits: it is tried again whenever the file has something to tell.

use super::Open;
use super::io::{Way, attempt, finish};
use crate::errno::{Errno, Result};
use crate::server::Call;
use crate::user::{Buffer, Transfer};
use crate::wait::{Wait, partly};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Where the bytes are.
pub enum Pieces {
    /// In one place, as a rule.
    One([[u64; 2]; 1]),
    /// In several.
    Many(Vec<[u64; 2]>),
}

/// The call, which was tried already.
pub struct Moving {
    call: Call,
    open: Rc<Open>,
    pieces: Pieces,
    way: Way,
    /// Bytes that are done.
    done: u64,
    /// It has told the file, and maybe the clock, that it waits.
    waits: bool,
    /// When it ends with what there is, if that is limited: the moment, and what the clock calls it.
    end: Option<(u64, u64)>,
}

impl Moving {
    /// A call of which so much is done, and that has to wait for more.
    pub fn new(call: &Call, open: Rc<Open>, pieces: Pieces, way: Way, done: u64) -> Moving {
        Moving { call: call.clone(), open, pieces, way, done, waits: false, end: None }
    }

    /// Tries; none if it has to wait on.
    fn attempt(&mut self) -> Option<Result> {
        let pieces = match &self.pieces {
            Pieces::One(piece) => piece,
            Pieces::Many(pieces) => pieces.as_slice(),
        };
        let mut transfer = Transfer::new(Buffer::User(self.call.process(), pieces));
        transfer.advance(self.done);
        let result = attempt(&self.open, &mut transfer, self.way, None);
        let moved = transfer.done > self.done;
        self.done = transfer.done;
        match result {
            Err(Errno::EAGAIN) if moved && self.way == Way::Read => {
                // What comes after a byte has a time of its own.
                self.forget();
                None
            }
            Err(Errno::EAGAIN) => {
                let late = self.end.is_some_and(|(moment, _)| rt::time::now() >= moment);
                late.then(|| finish(&self.call, Ok(()), self.done))
            }
            result => Some(finish(&self.call, result, self.done)),
        }
    }

    /// The file will tell of any change, and the clock when time is up.
    fn begin(&mut self) {
        let waker = &self.call.task.waker;
        self.open.file.waiters().inspect(|waiters| waiters.add(waker));
        if !self.waits && self.way == Way::Read {
            let wish = self.open.file.patience(self.done > 0);
            let moment = wish.map(|wish| rt::time::now().saturating_add(wish));
            self.end = moment.map(|moment| self.call.server.clock.wake_at(moment, waker));
        }
        self.waits = true;
    }

    /// Neither does any more.
    fn forget(&mut self) {
        if core::mem::take(&mut self.waits) {
            let waiters = self.open.file.waiters();
            waiters.inspect(|waiters| waiters.remove(&self.call.task.waker));
            self.end.take().inspect(|&key| self.call.server.clock.forget(key));
        }
    }
}

impl Future for Moving {
    type Output = Result;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result> {
        if let Some(result) = self.waits.then(|| self.attempt()).flatten() {
            return Poll::Ready(result);
        }
        self.begin();
        Poll::Pending
    }
}

impl Wait for Moving {
    fn interrupted(&self) -> Option<Result> {
        Some(partly(self.done))
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.forget();
    }
}
