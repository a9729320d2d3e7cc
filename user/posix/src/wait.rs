//! Who waits for what, and how a call becomes a future.
//!
//! A call is tried first. Only if it has to wait is it made a future, which tries again whenever it is
//! woken. So waiting is one loop around something that says `EAGAIN`, for every kind of file and event.

use crate::errno::{Errno, Result};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use rt::abi::FOREVER;
use rt::sync::Lock;

/// How a call goes on.
pub enum Outcome {
    /// It is done.
    Done(Result),
    /// It has to wait.
    Wait(Waiting),
    /// Whoever made it is no more, or goes on elsewhere: there is nothing to answer.
    Gone,
    /// Its registers have been set.
    AsIs,
}

impl From<Result> for Outcome {
    fn from(result: Result) -> Outcome {
        Outcome::Done(result)
    }
}

/// A call that waits, and what it gives in the end. If a signal ends the wait it is dropped.
pub trait Wait: Future<Output = Result> {
    /// What it gives if a signal interrupts it now; none if none can.
    fn interrupted(&self) -> Option<Result>;
}

/// Any of them.
pub type Waiting = Pin<Box<dyn Wait>>;

/// A future, and what the call gives that is interrupted meanwhile.
struct Interruptible<F, I> {
    future: Pin<Box<F>>,
    interrupted: I,
}

impl<F: Future<Output = Result>, I: Unpin> Future for Interruptible<F, I> {
    type Output = Result;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result> {
        self.future.as_mut().poll(context)
    }
}

impl<F: Future<Output = Result>, I: Fn() -> Option<Result> + Unpin> Wait for Interruptible<F, I> {
    fn interrupted(&self) -> Option<Result> {
        (self.interrupted)()
    }
}

impl Outcome {
    /// A call that is made again after a signal, if its handler has `SA_RESTART`.
    pub fn wait(future: impl Future<Output = Result> + 'static) -> Outcome {
        Outcome::wait_or(Errno::RESTART, future)
    }

    /// A call that fails with this when there is a signal.
    pub fn wait_or(error: Errno, future: impl Future<Output = Result> + 'static) -> Outcome {
        Outcome::wait_with(move || Some(Err(error)), future)
    }

    /// A call that gives what it has done so far when there is a signal, and is made again if that
    /// is nothing.
    pub fn wait_partly(
        done: Rc<Cell<u64>>,
        future: impl Future<Output = Result> + 'static,
    ) -> Outcome {
        Outcome::wait_with(move || Some(partly(done.get())), future)
    }

    /// A call that no signal interrupts, but one that kills.
    pub fn wait_for_ever(future: impl Future<Output = Result> + 'static) -> Outcome {
        Outcome::wait_with(|| None, future)
    }

    /// A call that gives this when there is a signal.
    pub fn wait_with(
        interrupted: impl Fn() -> Option<Result> + Unpin + 'static,
        future: impl Future<Output = Result> + 'static,
    ) -> Outcome {
        Outcome::Wait(Box::pin(Interruptible { future: Box::pin(future), interrupted }))
    }
}

/// What a call gives that was interrupted when so much was done.
pub fn partly(done: u64) -> Result {
    if done == 0 { Err(Errno::RESTART) } else { Ok(done) }
}

/// Who waits for something to change.
#[derive(Default)]
pub struct Waiters(Lock<Vec<Waker>>);

impl Waiters {
    /// Everybody looks again.
    pub fn wake(&self) {
        if self.0.lock().is_empty() {
            return;
        }
        let mut wakers = core::mem::take(&mut *self.0.lock());
        wakers.drain(..).for_each(Waker::wake);
        // What it has room for is kept.
        let mut now = self.0.lock();
        if now.capacity() == 0 {
            *now = wakers;
        }
    }

    /// To be woken at the next change.
    pub fn add(&self, waker: &Waker) {
        let mut wakers = self.0.lock();
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    /// Not to be woken after all.
    pub fn remove(&self, waker: &Waker) {
        self.0.lock().retain(|known| !known.will_wake(waker));
    }

    /// Tries again at each change until it is not `EAGAIN`.
    pub async fn until<T>(&self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        let mut waits = Waits { waiters: self, waker: None };
        poll_fn(|context| match attempt() {
            Err(Errno::EAGAIN) => {
                self.add(context.waker());
                waits.waker.get_or_insert_with(|| context.waker().clone());
                Poll::Pending
            }
            result => Poll::Ready(result),
        })
        .await
    }
}

/// Somebody among those who wait, until the wait is over, or dropped.
struct Waits<'a> {
    waiters: &'a Waiters,
    waker: Option<Waker>,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.waker.as_ref().inspect(|waker| self.waiters.remove(waker));
    }
}

/// Numbers of tasks that were woken.
pub type Ready = Arc<Lock<VecDeque<u64>>>;

/// Wakes a task by its number.
pub struct Bell {
    /// The task.
    pub task: u64,
    /// Where its number goes.
    pub ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Bell>) {
        let mut ready = self.ready.lock();
        if ready.back() != Some(&self.task) {
            ready.push_back(self.task);
        }
    }
}

/// Who waits for which moment of the monotonic clock.
#[derive(Default)]
pub struct Clock {
    wakers: RefCell<BTreeMap<(u64, u64), Waker>>,
    next: Cell<u64>,
}

impl Clock {
    /// When the first of them is to be woken.
    pub fn first(&self) -> u64 {
        self.wakers.borrow().keys().next().map_or(FOREVER, |&(moment, _)| moment)
    }

    /// Wakes those whose moment has come.
    pub fn ring(&self) {
        let now = rt::time::now();
        let mut wakers = self.wakers.borrow_mut();
        while let Some(first) = wakers.first_entry().filter(|first| first.key().0 <= now) {
            first.remove().wake();
        }
    }

    /// Wakes somebody at a moment; what to [`forget`](Clock::forget) if that is not wished any more.
    pub fn wake_at(&self, moment: u64, waker: &Waker) -> (u64, u64) {
        let key = (moment, self.next.replace(self.next.get() + 1));
        self.wakers.borrow_mut().insert(key, waker.clone());
        key
    }

    /// Wakes somebody not at all.
    pub fn forget(&self, key: (u64, u64)) {
        self.wakers.borrow_mut().remove(&key);
    }

    /// Waits until a moment.
    pub async fn until(&self, moment: u64) {
        if moment == FOREVER {
            return core::future::pending().await;
        }
        let key = (moment, self.next.replace(self.next.get() + 1));
        let entry = Entry { clock: self, key };
        poll_fn(|context| {
            if rt::time::now() >= entry.key.0 {
                return Poll::Ready(());
            }
            entry.clock.wakers.borrow_mut().insert(entry.key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits for a future at most until a moment; nothing if that came first.
    pub async fn limit<T>(&self, moment: u64, future: impl Future<Output = T>) -> Option<T> {
        let mut future = core::pin::pin!(future);
        let mut end = core::pin::pin!(self.until(moment));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => end.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

/// A moment that is forgotten when its wait is over, or dropped.
struct Entry<'a> {
    clock: &'a Clock,
    key: (u64, u64),
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.clock.wakers.borrow_mut().remove(&self.key);
    }
}
