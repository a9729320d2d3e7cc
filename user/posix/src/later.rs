//! Calls that need the answer of another server: they are made again when it is there.
//!
//! Whatever serves a call may [`ask`](Later::ask). If the answer is not there it gives
//! [`Errno::LATER`], which whoever asked passes on; then the call is made again, all of it, and finds the
//! answers to what was asked before. So what changes something must come after what asks.
//!
//! A thread for each server makes the requests one after the other, so that this one never waits.

use crate::errno::{Errno, Result};
use crate::server::{ANSWERS, Call, Server};
use crate::table::Handler;
use crate::wait::{Outcome, Waiters};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::{Cell, RefCell};
use files::{Failure, Request, Tells};
use rt::Port;
use rt::abi::{FOREVER, PortRights};
use rt::loader::Child;
use rt::sync::Lock;
use rt::thread::{self, Options, Spawned};

/// What a server told, or why it did not.
type Answer = core::result::Result<Tells, Failure>;

/// What one call has asked.
#[derive(Default)]
pub struct Log {
    answers: RefCell<Vec<(Request, Rc<Answer>)>>,
    /// One answer is not there yet.
    waits: Cell<bool>,
    waiters: Waiters,
    /// What the call has made and needs again.
    made: RefCell<Option<Rc<dyn Any>>>,
}

/// All that is asked, and not answered.
#[derive(Default)]
pub struct Later {
    /// What the call that is being served has asked, if anything.
    current: RefCell<Option<Rc<Log>>>,
    asked: Cell<bool>,
    waiting: RefCell<BTreeMap<u64, (Rc<Log>, Request)>>,
    next: Cell<u64>,
    answers: Arc<Lock<VecDeque<(u64, Answer)>>>,
}

impl Later {
    /// What a server tells; `LATER` if that is not known yet.
    pub fn ask(&self, worker: &Worker, request: Request) -> Result<Rc<Answer>> {
        let log = self.log();
        let known = log.answers.borrow().iter().find(|(it, _)| it.is_like(&request)).cloned();
        if let Some((_, answer)) = known {
            return Ok(answer);
        }
        if !log.waits.replace(true) {
            let number = self.next.replace(self.next.get() + 1);
            self.waiting.borrow_mut().insert(number, (log, request.clone()));
            worker.give(Some((number, request)));
        }
        Err(Errno::LATER)
    }

    fn log(&self) -> Rc<Log> {
        self.asked.set(true);
        self.current.borrow_mut().get_or_insert_with(Rc::default).clone()
    }

    /// What the call has made before, or makes now. There is one of it.
    pub fn once<T: 'static>(&self, make: impl FnOnce() -> Result<Rc<T>>) -> Result<Rc<T>> {
        let log = self.log();
        let made = log.made.borrow().clone().and_then(|made| made.downcast().ok());
        match made {
            Some(made) => Ok(made),
            None => {
                let made = make()?;
                log.made.replace(Some(made.clone()));
                Ok(made)
            }
        }
    }

    /// Whether the call that was just served has asked anything.
    pub fn was_asked(&self) -> bool {
        self.asked.get()
    }

    fn take(&self) -> Option<Rc<Log>> {
        self.asked.set(false);
        self.current.take()
    }

    /// How a call goes on that has asked: it is made again until there is nothing to wait for.
    pub fn again(&self, call: Call, handler: Handler, outcome: Outcome) -> Outcome {
        let log = self.take();
        let (Outcome::Done(Err(Errno::LATER)), Some(log)) = (&outcome, log) else { return outcome };
        Outcome::wait_for_ever(async move {
            loop {
                let answered = || if log.waits.get() { Err(Errno::EAGAIN) } else { Ok(()) };
                log.waiters.until(answered).await?;
                let later = &call.server.later;
                later.current.replace(Some(log.clone()));
                let outcome = handler.serve(&call);
                later.take();
                match outcome {
                    Outcome::Done(Err(Errno::LATER)) => {}
                    Outcome::Done(result) => return result,
                    Outcome::Wait(waiting) => return waiting.await,
                    Outcome::AsIs => return Err(Errno::AS_IS),
                    // Nobody is there to be answered.
                    Outcome::Gone => return Err(Errno::EINTR),
                }
            }
        })
    }

    /// Answers have come.
    pub fn arrived(&self) {
        loop {
            let Some((number, answer)) = self.answers.lock().pop_front() else { return };
            let asked = self.waiting.borrow_mut().remove(&number);
            let Some((log, request)) = asked else { continue };
            log.answers.borrow_mut().push((request, Rc::new(answer)));
            log.waits.set(false);
            log.waiters.wake();
        }
    }
}

/// Requests for a server, each with the number of its answer, if anybody wants that; nothing ends it.
type Job = Option<(u64, Request)>;

/// The number of an answer that nobody wants.
const UNWANTED: u64 = u64::MAX;

/// The thread that makes requests to one server.
pub struct Worker {
    jobs: Arc<Lock<VecDeque<Job>>>,
    bell: Port,
    child: Child,
    thread: Option<Spawned>,
}

impl Worker {
    /// One for a server that was started, and finds its requests at a port.
    pub fn new(server: &Server, child: Child, port: Port) -> Result<Worker> {
        let jobs = Arc::<Lock<VecDeque<Job>>>::default();
        let (bell, main) = (Port::create(0)?, server.port.duplicate(PortRights::SIGNAL)?);
        let (theirs, rings) = (jobs.clone(), bell.duplicate(PortRights::RECEIVE)?);
        let answers = server.later.answers.clone();
        let thread = thread::spawn(Options::default(), move || {
            loop {
                let job = theirs.lock().pop_front();
                match job {
                    Some(Some((number, request))) => {
                        let answer = request.ask(&port);
                        if number != UNWANTED {
                            answers.lock().push_back((number, answer));
                            // Its port is there as long as this server.
                            let _ = main.signal(ANSWERS);
                        }
                    }
                    Some(None) => return,
                    // Whoever rings has put something there before.
                    None => drop(rings.receive(FOREVER)),
                }
            }
        })?;
        Ok(Worker { jobs, bell, child, thread: Some(thread) })
    }

    fn give(&self, job: Job) {
        self.jobs.lock().push_back(job);
        // It is there as long as this.
        let _ = self.bell.signal(1);
    }

    /// Makes a request whose answer nobody wants.
    pub fn tell(&self, request: Request) {
        self.give(Some((UNWANTED, request)));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Whatever is still asked is answered by its end.
        let _ = self.child.process.kill(0);
        self.give(None);
        self.thread.take().into_iter().for_each(Spawned::join);
    }
}
