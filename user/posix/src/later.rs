//! Calls that need the answer of another server: they are made again when it is there.
//!
//! Whatever serves a call may [`start`](Later::start) a request and [`wait`](Later::wait_for) for it: then it
//! gives [`Errno::LATER`], which whoever asked passes on; then the call is made again, all of it, and finds the
//! answers to what was asked before. So what changes something must come after what asks.
//!
//! What an answer changes here it changes when it arrives, in the order in which the server answered,
//! whoever waits for it.
//!
//! A thread for each server makes the requests one after the other, so that this one never waits.

use crate::errno::{Errno, Result};
use crate::server::{ANSWERS, Call, Server};
use crate::table::Handler;
use crate::wait::{Outcome, Waiters};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::{Cell, RefCell};
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::{Acquire, Release};
use files::{Failure, Request, Tells};
use rt::Port;
use rt::abi::{FOREVER, PortRights};
use rt::sync::Lock;
use rt::thread::{self, Options, Spawned};

/// What a server told, or why it did not.
pub type Answer = core::result::Result<Tells, Failure>;

/// What is done with an answer when it arrives; says whether that was all, and nobody looks for it.
pub type Apply = Box<dyn FnOnce(&mut Answer) -> bool>;

/// What one call has asked.
#[derive(Default)]
pub struct Log {
    answers: RefCell<Vec<Answered>>,
    /// So many answers are not there yet.
    waits: Cell<usize>,
    waiters: Waiters,
    /// What the call has made and needs again.
    made: RefCell<Option<Rc<dyn Any>>>,
}

/// A request, the server that it went to, and the answer.
struct Answered {
    worker: u64,
    request: Request,
    answer: Rc<Answer>,
}

/// What was asked and is not answered, and which calls wait for it.
struct Asked {
    worker: u64,
    request: Request,
    apply: Option<Apply>,
    logs: Vec<Rc<Log>>,
}

/// All that is asked, and not answered.
#[derive(Default)]
pub struct Later {
    /// What the call that is being served has asked, if anything.
    current: RefCell<Option<Rc<Log>>>,
    was_asked: Cell<bool>,
    asked: RefCell<BTreeMap<u64, Asked>>,
    next: Cell<u64>,
    answers: Arc<Lock<VecDeque<(u64, Answer)>>>,
    /// Threads that have nothing to do any more, and whether each has ended.
    leaving: RefCell<Vec<(Arc<AtomicBool>, Spawned)>>,
}

impl Later {
    /// What this call has asked before, if it was answered.
    pub fn known(&self, worker: &Worker, request: &Request) -> Option<Rc<Answer>> {
        let log = self.log();
        let answers = log.answers.borrow();
        let mut same = answers.iter().filter(|it| it.worker == worker.number);
        same.find(|it| it.request.is_like(request)).map(|it| it.answer.clone())
    }

    /// Asks a server, whoever waits for it; the number of the request.
    pub fn start(&self, worker: &Worker, request: Request, apply: Option<Apply>) -> u64 {
        let number = self.number();
        worker.give(Some((number, request.clone())));
        let asked = Asked { worker: worker.number, request, apply, logs: Vec::new() };
        self.asked.borrow_mut().insert(number, asked);
        number
    }

    fn number(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    /// Has the call that is being served wait for what was started; it gives `LATER` then.
    pub fn wait_for<T>(&self, number: u64) -> Result<T> {
        let log = self.log();
        if let Some(asked) = self.asked.borrow_mut().get_mut(&number)
            && !asked.logs.iter().any(|known| Rc::ptr_eq(known, &log))
        {
            log.waits.set(log.waits.get() + 1);
            asked.logs.push(log);
        }
        Err(Errno::LATER)
    }

    fn log(&self) -> Rc<Log> {
        self.was_asked.set(true);
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
        self.was_asked.get()
    }

    fn take(&self) -> Option<Rc<Log>> {
        self.was_asked.set(false);
        self.current.take()
    }

    /// How a call goes on that has asked: it is made again until there is nothing to wait for.
    pub fn again(&self, call: Call, handler: Handler, outcome: Outcome) -> Outcome {
        let log = self.take();
        let (Outcome::Done(Err(Errno::LATER)), Some(log)) = (&outcome, log) else { return outcome };
        Outcome::wait_for_ever(async move {
            loop {
                let answered = || if log.waits.get() > 0 { Err(Errno::EAGAIN) } else { Ok(()) };
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

    /// Answers have come, or threads have ended.
    pub fn arrived(&self) {
        // To join is to receive, which whoever has a call to answer must not do.
        let mut leaving = self.leaving.borrow_mut();
        let ended = leaving.extract_if(.., |(ended, _)| ended.load(Acquire));
        ended.for_each(|(_, thread)| thread.join());
        drop(leaving);
        loop {
            let Some((number, mut answer)) = self.answers.lock().pop_front() else { return };
            let asked = self.asked.borrow_mut().remove(&number);
            let Some(Asked { worker, request, apply, logs }) = asked else { continue };
            let is_done = apply.is_some_and(|apply| apply(&mut answer));
            let answer = Rc::new(answer);
            for log in logs {
                if !is_done {
                    let (request, answer) = (request.clone(), answer.clone());
                    log.answers.borrow_mut().push(Answered { worker, request, answer });
                }
                log.waits.set(log.waits.get() - 1);
                if log.waits.get() == 0 {
                    log.waiters.wake();
                }
            }
        }
    }
}

/// Requests for a server, each with the number of its answer, if anybody wants that; nothing ends it.
type Job = Option<(u64, Request)>;

/// The number of an answer that nobody wants.
const UNWANTED: u64 = u64::MAX;

/// A server, for its worker.
pub struct Served {
    /// Where it finds its requests.
    pub port: Port,
    /// What is done when it is late.
    pub complain: Box<dyn Fn() + Send>,
    /// What is done when it is not needed any more.
    pub stop: Box<dyn FnOnce()>,
}

/// The thread that makes requests to one server.
pub struct Worker {
    server: &'static Server,
    number: u64,
    jobs: Arc<Lock<VecDeque<Job>>>,
    bell: Port,
    stop: Option<Box<dyn FnOnce()>>,
    thread: Option<(Arc<AtomicBool>, Spawned)>,
}

impl Worker {
    /// One for a server.
    pub fn new(server: &'static Server, served: Served) -> Result<Worker> {
        let Served { port, complain, stop } = served;
        let jobs = Arc::<Lock<VecDeque<Job>>>::default();
        let (bell, main) = (Port::create(0)?, server.port.duplicate(PortRights::SIGNAL)?);
        let (theirs, rings) = (jobs.clone(), bell.duplicate(PortRights::RECEIVE)?);
        let (answers, ended) = (server.later.answers.clone(), Arc::new(AtomicBool::new(false)));
        let ends = ended.clone();
        let thread = thread::spawn(Options::default(), move || {
            loop {
                let job = theirs.lock().pop_front();
                match job {
                    Some(Some((number, request))) => {
                        let answer = request.ask(&port, &complain);
                        if number != UNWANTED {
                            answers.lock().push_back((number, answer));
                            // Its port is there as long as this server.
                            let _ = main.signal(ANSWERS);
                        }
                    }
                    Some(None) => break,
                    // Whoever rings has put something there before.
                    None => drop(rings.receive(FOREVER)),
                }
            }
            ends.store(true, Release);
            let _ = main.signal(ANSWERS);
        })?;
        let number = server.later.number();
        let thread = Some((ended, thread));
        Ok(Worker { server, number, jobs, bell, stop: Some(stop), thread })
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
        self.stop.take().into_iter().for_each(|stop| stop());
        self.give(None);
        self.server.later.leaving.borrow_mut().extend(self.thread.take());
    }
}
