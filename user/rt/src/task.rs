//! Tasks: futures that one thread runs by turns, and that wait for messages, signals and time.
//!
//! One port is where everything arrives. A future that waits is entered in a list below, and woken
//! when [`Tasks::block_on`] has received what it waits for.

use crate::abi::{Arrival, Error, FOREVER};
use crate::message::Received;
use crate::object::{Port, Reply};
use crate::sync::Lock;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

/// A set of tasks; clones are the same set.
#[derive(Clone)]
pub struct Tasks(Rc<Shared>);

/// A message, and the duty to answer it if it is a call.
#[derive(Debug)]
pub struct Request {
    /// What arrived.
    pub received: Received,
    /// How to answer.
    pub reply: Option<Reply>,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;
type Ready = Arc<Lock<VecDeque<u64>>>;

struct Shared {
    port: Port,
    tasks: RefCell<BTreeMap<u64, Task>>,
    /// Numbers for tasks and timers.
    next: Cell<u64>,
    /// Tasks that were woken.
    ready: Ready,
    /// Who waits for which moment; the number tells equal moments apart.
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    /// Messages that nobody has taken, and who waits for one.
    messages: RefCell<VecDeque<Request>>,
    receivers: RefCell<Vec<Waker>>,
    /// Signals that nobody has taken, and who waits for one.
    signals: Cell<u64>,
    watchers: RefCell<Vec<Waker>>,
}

/// Wakes a task by its number.
struct Bell {
    task: u64,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.ready.lock().push_back(self.task);
    }
}

impl Tasks {
    /// Tasks that wait at a port.
    pub fn new(port: Port) -> Tasks {
        Tasks(Rc::new(Shared {
            port,
            tasks: RefCell::default(),
            next: Cell::new(1),
            ready: Ready::default(),
            timers: RefCell::default(),
            messages: RefCell::default(),
            receivers: RefCell::default(),
            signals: Cell::new(0),
            watchers: RefCell::default(),
        }))
    }

    /// The port where everything arrives.
    pub fn port(&self) -> &Port {
        &self.0.port
    }

    /// Adds a task, which runs while [`block_on`](Tasks::block_on) does.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let task = self.number();
        self.0.tasks.borrow_mut().insert(task, Box::pin(future));
        self.0.ready.lock().push_back(task);
    }

    /// Runs all tasks until this one has its result.
    pub fn block_on<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let result = Rc::new(RefCell::new(None));
        let place = result.clone();
        self.spawn(async move {
            let value = future.await;
            *place.borrow_mut() = Some(value);
        });
        loop {
            self.run();
            if let Some(value) = result.borrow_mut().take() {
                return value;
            }
            self.wait();
        }
    }

    /// Waits until a moment of the clock.
    pub async fn sleep_until(&self, deadline: u64) {
        let key = (deadline, self.number());
        poll_fn(|context| {
            if crate::time::now() >= deadline {
                self.0.timers.borrow_mut().remove(&key);
                return Poll::Ready(());
            }
            self.0.timers.borrow_mut().insert(key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits for so many nanoseconds.
    pub async fn sleep(&self, nanoseconds: u64) {
        self.sleep_until(crate::time::now().saturating_add(nanoseconds)).await;
    }

    /// Waits for a message.
    pub async fn message(&self) -> Request {
        poll_fn(|context| match self.0.messages.borrow_mut().pop_front() {
            Some(request) => Poll::Ready(request),
            None => {
                self.0.receivers.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// Waits for any of these signals, and takes those of them that are set.
    pub async fn signals(&self, mask: u64) -> u64 {
        poll_fn(|context| {
            let set = self.0.signals.get();
            if set & mask == 0 {
                self.0.watchers.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            self.0.signals.set(set & !mask);
            Poll::Ready(set & mask)
        })
        .await
    }

    /// Waits for any of these signals, at most until a moment; none if that came first.
    pub async fn signals_until(&self, mask: u64, deadline: u64) -> u64 {
        let mut signals = pin!(self.signals(mask));
        let mut sleep = pin!(self.sleep_until(deadline));
        poll_fn(|context| match signals.as_mut().poll(context) {
            Poll::Ready(set) => Poll::Ready(set),
            Poll::Pending => sleep.as_mut().poll(context).map(|()| 0),
        })
        .await
    }

    fn number(&self) -> u64 {
        self.0.next.replace(self.0.next.get() + 1)
    }

    /// Runs whatever is ready, until nothing is.
    fn run(&self) {
        loop {
            let Some(number) = self.0.ready.lock().pop_front() else { return };
            // A task that runs is not in the list, so it may add others.
            let Some(mut task) = self.0.tasks.borrow_mut().remove(&number) else { continue };
            let bell = Arc::new(Bell { task: number, ready: self.0.ready.clone() });
            if task.as_mut().poll(&mut Context::from_waker(&Waker::from(bell))).is_pending() {
                self.0.tasks.borrow_mut().insert(number, task);
            }
        }
    }

    /// Waits for something to arrive, or for the first of the timers, and wakes whom it concerns.
    fn wait(&self) {
        let first = self.0.timers.borrow().keys().next().map_or(FOREVER, |&(moment, _)| moment);
        match self.0.port.receive(first) {
            Ok(received) if received.arrival == Arrival::Signals => {
                self.0.signals.set(self.0.signals.get() | received.signals());
                self.0.watchers.borrow_mut().drain(..).for_each(Waker::wake);
            }
            Ok(received) => {
                let reply = match received.arrival {
                    Arrival::Message => None,
                    _ => Reply::save().ok(),
                };
                self.0.messages.borrow_mut().push_back(Request { received, reply });
                self.0.receivers.borrow_mut().drain(..).for_each(Waker::wake);
            }
            Err(Error::TimedOut) => self.wake_timers(),
            Err(error) => panic!("nothing can arrive any more: {error:?}"),
        }
    }

    fn wake_timers(&self) {
        let now = crate::time::now();
        let mut timers = self.0.timers.borrow_mut();
        while let Some(timer) = timers.first_entry().filter(|timer| timer.key().0 <= now) {
            timer.remove().wake();
        }
    }
}
