//! Harm that is done to services, for tests of what comes of it.

use crate::errand::Errand;
use crate::given::INTERRUPT;
use crate::service::{Id, Life};
use crate::supervisor::Supervisor;
use harm::{Harm, Victim, WILD};
use rt::Error;
use rt::abi::{PortRights, ProcessRights, ThreadRights};
use rt::service::Diary;
use services::control::Failure;

impl Supervisor {
    /// Hurts a service that runs, in one of the ways of `user/harm`.
    pub fn hurt(&mut self, id: Id, how: &str) -> Result<(), Failure> {
        if !self.may_hurt {
            return Err(Failure::NotAllowed);
        }
        let harm = Harm::of(how).ok_or(Failure::Invalid)?;
        let victim = self.victim(id).map_err(|_| Failure::Failed)?;
        self.go(Errand::Harm, move || harm.to(&victim)).map_err(|_| Failure::NoMemory)
    }

    fn victim(&self, id: Id) -> Result<Victim, Error> {
        let service = &self.services[&id];
        let Life::Running(running) = &service.life else { return Err(Error::NotFound) };
        Ok(Victim {
            process: running.child.process.duplicate(ProcessRights::all())?,
            thread: running.child.thread.duplicate(ThreadRights::all())?,
            port: service.port.badged(PortRights::RECEIVE | PortRights::SIGNAL, 0)?,
            interrupt: INTERRUPT,
            circle: Diary::circle(&running.diary)?,
        })
    }
}

/// Hurts the supervisor itself: it goes on where nothing is, or panics.
pub fn hurt_itself(how: &str) -> Result<(), Failure> {
    match how {
        // SAFETY: nothing is there: it faults.
        "wild" => unsafe { (WILD as *mut u64).write_volatile(0) },
        "panic" => panic!("as told"),
        _ => return Err(Failure::Invalid),
    }
    Ok(())
}
