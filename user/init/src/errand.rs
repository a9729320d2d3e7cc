//! What takes its time, such as questions to services: a thread asks each, and the supervisor goes on.

use crate::service::{Id, Life, Then};
use crate::supervisor::{ERRAND, Supervisor};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use rt::abi::{PortRights, ThreadRights};
use rt::message::Message;
use rt::object::{ThreadState, halt};
use rt::service::{PING, SAVE};
use rt::sync::Lock;
use rt::thread::{self, Options, Spawned};
use rt::time::{SECOND, now};
use rt::{Error, Port, Reply};
use services::control::Failure;
use services::manifest::Trait;

/// How long a service may take to answer a ping.
const PATIENCE: u64 = SECOND;
/// How often one that itself waits is asked.
const PINGS: usize = 10;
/// How long it may take to save what it has.
const LONG: u64 = 10 * SECOND;

/// What is done, and what comes after.
pub enum Errand {
    /// Whether a service, in this of its lives, still answers.
    Ping(Id, u64),
    /// That a service saves what it has, before it is stopped; somebody waits for that.
    Stop(Id, Reply),
    /// That all save what they have, before the machine ends like this.
    Finish(u64),
    /// That a service comes to harm; nothing comes after.
    Harm,
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
    /// A service that is complained about is asked whether it is there. One that itself waits, for its disk for
    /// example, complains about that; it has more time.
    pub fn ping(&mut self, id: Id) -> Result<(), Failure> {
        let service = &self.services[&id];
        let lives = service.lives;
        let Life::Running(running) = &service.life else { return Ok(()) };
        if self.is_asked(id) {
            return Ok(());
        }
        let ways =
            running.child.thread.duplicate(ThreadRights::CONTROL).and_then(|thread| {
                service.port.badged(PortRights::SEND, 0).map(|port| (thread, port))
            });
        let (thread, port) = ways.map_err(|_| Failure::NoMemory)?;
        let waits = move || thread.info().is_ok_and(|it| it.state == ThreadState::Waiting);
        let ping = move || port.call(&Message::new(PING), now() + PATIENCE).map(|_| ());
        let is_told = move |told: &Result<(), Error>| *told != Err(Error::TimedOut) || !waits();
        let pings =
            move || (0..PINGS).map(|_| ping()).find(is_told).unwrap_or(Err(Error::TimedOut));
        self.go(Errand::Ping(id, lives), pings).map_err(|_| Failure::NoMemory)
    }

    /// Whether a service, in this of its lives, is being asked whether it is there.
    pub fn is_asked(&self, id: Id) -> bool {
        let this = (id, self.services[&id].lives);
        let is_this = |errand: &Errand| matches!(errand, &Errand::Ping(id, at) if (id, at) == this);
        self.errands.sent.values().any(|(errand, _)| is_this(errand))
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
        self.go(errand, move || {
            let ask = |port: &Port| port.call(&Message::new(label), now() + long).map(|_| ());
            ports.iter().map(ask).fold(Ok(()), Result::and)
        })
    }

    /// Sends a thread on an errand.
    pub fn go(
        &mut self,
        errand: Errand,
        work: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let bell = self.port.duplicate(PortRights::SIGNAL)?;
        let (number, done) = (self.errands.next, self.errands.done.clone());
        let sent = thread::spawn(Options { priority: 32, ..Options::default() }, move || {
            let result = work();
            done.lock().push((number, result));
            // Whoever sent this is there as long as this process.
            let _ = bell.signal(ERRAND);
        })?;
        self.errands.sent.insert(number, (errand, sent));
        self.errands.next += 1;
        Ok(())
    }

    /// Does what comes after errands.
    pub fn errands_done(&mut self) {
        let done = core::mem::take(&mut *self.errands.done.lock());
        for (number, result) in done {
            let Some((errand, sent)) = self.errands.sent.remove(&number) else { continue };
            sent.join();
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
                Errand::Harm => {}
            }
        }
    }

    /// A service does not answer: it is ended, and another started.
    fn hangs(&mut self, id: Id) {
        let Some(running) = self.services[&id].running() else { return };
        let registers = halt(&running.child.thread, PATIENCE);
        self.record(id, &format!("it did not answer for {} ms", PATIENCE / 1_000_000), registers);
        let service = self.service(id);
        service.fall_back(service.has_served());
        service.end(Then::Again);
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
