//! Questions to services, which may take their time: a thread asks each, and the supervisor goes on.

use crate::backtrace::Registers;
use crate::service::{Id, Life, Then};
use crate::supervisor::{ERRAND, Supervisor};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use rt::abi::PortRights;
use rt::message::Message;
use rt::object::Halted;
use rt::service::{PING, SAVE};
use rt::sync::Lock;
use rt::thread::{self, Options, Spawned};
use rt::time::{SECOND, now};
use rt::{Error, Port, Reply};
use services::control::Failure;
use services::manifest::Trait;

/// How long a service may take to answer a ping.
const PATIENCE: u64 = SECOND;
/// How long it may take to save what it has.
const LONG: u64 = 10 * SECOND;

/// What is asked, and what comes after.
pub enum Errand {
    /// Whether a service, in this of its lives, still answers.
    Ping(Id, u64),
    /// That a service saves what it has, before it is stopped; somebody waits for that.
    Stop(Id, Reply),
    /// That all save what they have, before the machine ends like this.
    Finish(u64),
}

/// What came of errands: their numbers.
type Done = Arc<Lock<Vec<(u64, Result<(), Error>)>>>;

/// All errands that are not done.
#[derive(Default)]
pub struct Errands {
    sent: BTreeMap<u64, (Errand, Spawned)>,
    next: u64,
    done: Done,
}

impl Supervisor {
    /// A service that is complained about is asked whether it is there.
    pub fn ping(&mut self, id: Id) -> Result<(), Failure> {
        let service = self.service(id);
        if !matches!(service.life, Life::Running(_)) {
            return Ok(());
        }
        let lives = service.lives;
        self.send(Errand::Ping(id, lives), &[id], PING, PATIENCE).map_err(|_| Failure::NoMemory)
    }

    /// A service saves what it has, and is stopped.
    pub fn stop(&mut self, id: Id) -> Result<(), Failure> {
        let saves = self.services[&id].spec.has(Trait::Saves);
        let whom = if saves { &[id][..] } else { &[] };
        let reply = Reply::save().map_err(|_| Failure::Failed)?;
        self.send(Errand::Stop(id, reply), whom, SAVE, LONG).map_err(|_| Failure::NoMemory)
    }

    /// All services save what they have, the latest first, and the machine ends.
    pub fn finish(&mut self, how: u64) {
        let saves = |id: &Id| self.services[id].spec.has(Trait::Saves);
        let whom: Vec<Id> = self.services.keys().copied().rev().filter(saves).collect();
        if whom.is_empty() || self.send(Errand::Finish(how), &whom, SAVE, LONG).is_err() {
            self.over = Some(how);
        }
    }

    fn send(&mut self, errand: Errand, whom: &[Id], label: u32, long: u64) -> Result<(), Error> {
        let port = |id| self.services[id].port.badged(PortRights::SEND, 0);
        let ports = whom.iter().map(port).collect::<Result<Vec<Port>, Error>>()?;
        let bell = self.port.duplicate(PortRights::SIGNAL)?;
        let (number, done) = (self.errands.next, self.errands.done.clone());
        let asked = thread::spawn(Options { priority: 32, ..Options::default() }, move || {
            let ask = |port: &Port| port.call(&Message::new(label), now() + long).map(|_| ());
            let result = ports.iter().map(ask).fold(Ok(()), Result::and);
            done.lock().push((number, result));
            // Whoever sent this is there as long as this process.
            let _ = bell.signal(ERRAND);
        })?;
        self.errands.sent.insert(number, (errand, asked));
        self.errands.next += 1;
        Ok(())
    }

    /// Does what comes after errands.
    pub fn errands_done(&mut self) {
        let done = core::mem::take(&mut *self.errands.done.lock());
        for (number, result) in done {
            let Some((errand, asked)) = self.errands.sent.remove(&number) else { continue };
            asked.join();
            match errand {
                Errand::Ping(id, lives) => {
                    let lives_on = self.services.get(&id).is_some_and(|it| it.lives == lives);
                    if result == Err(Error::TimedOut) && lives_on {
                        self.hangs(id);
                    }
                }
                Errand::Stop(id, reply) => {
                    let label = if result.is_ok() { 0 } else { Failure::Failed as u32 };
                    self.stopped(id);
                    // Whoever asked may be gone.
                    let _ = reply.answer(&Message::new(label).words(&[0]));
                }
                Errand::Finish(how) => self.over = Some(how),
            }
        }
    }

    /// A service does not answer: it is ended, and another started.
    fn hangs(&mut self, id: Id) {
        let Some(running) = self.services[&id].running() else { return };
        let registers = halt(&running.child.thread);
        self.record(id, &format!("it did not answer for {} ms", PATIENCE / 1_000_000), registers);
        self.service(id).end(Then::Again);
    }

    /// A service has saved what it had, and ends. One of a template is forgotten.
    fn stopped(&mut self, id: Id) {
        let Some(service) = self.services.get_mut(&id) else { return };
        let is_known = !self.templates.contains(&service.spec);
        match service.life {
            _ if is_known => service.end(Then::Over),
            Life::Running(_) | Life::Ending(..) => service.end(Then::Forgotten),
            Life::Pausing(_) | Life::Over(_) => self.forget(id),
        }
    }
}

/// The registers of a thread, which is kept from running, and whose wait ends if it waits.
pub fn halt(thread: &rt::Thread) -> Option<Registers> {
    thread.suspend().ok()?;
    let end = now().saturating_add(PATIENCE);
    loop {
        match Halted::Suspended(thread).general() {
            Err(Error::Busy) if now() < end => {
                // It waits, or another CPU lets go of it.
                let _ = thread.cancel();
                rt::time::nap();
            }
            registers => return registers.ok(),
        }
    }
}
