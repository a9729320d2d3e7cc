//! Harm that is done to services, for tests of what comes of it.

use crate::errand::halt;
use crate::given::INTERRUPT;
use crate::service::{Id, Life};
use crate::supervisor::Supervisor;
use rt::Error;
use rt::arch::PROGRAM_COUNTER;
use rt::object::Halted;
use rt::service::Diary;
use services::control::Failure;

/// Where nothing is.
const WILD: u64 = 0xdead_0000;

impl Supervisor {
    /// Hurts a service: it goes on where nothing is, or runs in circles, or hears of an interrupt that was none.
    pub fn hurt(&mut self, id: Id, how: &str) -> Result<(), Failure> {
        if !self.may_hurt {
            return Err(Failure::NotAllowed);
        }
        let service = &self.services[&id];
        let Life::Running(running) = &service.life else { return Err(Failure::Failed) };
        let done = match how {
            "wild" => go_on_at(&running.child.thread, WILD),
            "hang" => {
                Diary::circle(&running.diary).and_then(|at| go_on_at(&running.child.thread, at))
            }
            "spurious" => service.port.signal(INTERRUPT),
            _ => return Err(Failure::Invalid),
        };
        done.map_err(|_| Failure::Failed)
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

/// Has a thread go on somewhere else. One that waits does so no more.
fn go_on_at(thread: &rt::Thread, address: u64) -> Result<(), Error> {
    let mut registers = halt(thread).ok_or(Error::Busy)?;
    registers[PROGRAM_COUNTER] = address;
    Halted::Suspended(thread).write(&registers)?;
    thread.resume()
}
