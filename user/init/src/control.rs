//! What clients ask for.

use crate::hurt::hurt_itself;
use crate::service::{Id, Life, Program, Then};
use crate::supervisor::Supervisor;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use rt::abi::{PAGE, POWER_FAILURE, POWER_OFF, POWER_RESTART, POWER_SUCCESS};
use rt::message::{Message, Received};
use rt::object::{Object, lease_read, lease_write, reply};
use rt::space::Mapping;
use rt::{Error, Memory, Port};
use services::control::{ARGUMENTS, Failure, Operation};
use services::manifest::Trait;
use services::policy::Patience;

/// What comes back.
pub enum Answer {
    /// Nothing.
    Done,
    /// A text.
    Text(String),
    /// A way to a service.
    Port(Port),
    /// A way to a disk, and memory for it.
    Disk(Port, Memory),
    /// Whoever asked is answered later.
    Later,
}

impl Supervisor {
    /// Does what a client asks for, and answers.
    pub fn asked(&mut self, id: Id, received: &Received) {
        let result = self.serve(id, received);
        // What came along was looked at.
        received.close_handles();
        let answer = match result {
            Ok(Answer::Later) => return,
            Ok(Answer::Done) => Message::new(0).words(&[0]),
            Ok(Answer::Port(port)) => Message::new(0).words(&[0]).handle(port.into_raw()),
            Ok(Answer::Disk(port, memory)) => {
                Message::new(0).words(&[0]).handle(port.into_raw()).handle(memory.into_raw())
            }
            Ok(Answer::Text(text)) => {
                let room = (received.words[1] as usize).min(text.len());
                // One without room for it hears how long it is.
                let _ = lease_write(None, 1, 0, &text.as_bytes()[..room]);
                Message::new(0).words(&[text.len() as u64])
            }
            Err(failure) => Message::new(failure as u32),
        };
        // Whoever asked may be gone.
        let _ = reply(&answer);
    }

    fn serve(&mut self, asks: Id, received: &Received) -> Result<Answer, Failure> {
        let operation = Operation::of(received.label()).ok_or(Failure::Invalid)?;
        let controls = self.services[&asks].spec.has(Trait::Control);
        if !controls && operation != Operation::Complain {
            return Err(Failure::NotAllowed);
        }
        let mut given = [0; ARGUMENTS];
        let given = given.get_mut(..received.words[0] as usize).ok_or(Failure::Invalid)?;
        lease_read(None, 0, 0, given).map_err(|_| Failure::Invalid)?;
        let text = str::from_utf8(given).map_err(|_| Failure::Invalid)?;
        let arguments: Vec<&str> = text.split('\0').collect();
        let first = arguments[0];
        if operation == Operation::Complain {
            let about = self.complained(asks, first).ok_or(Failure::NotFound)?;
            return self.ping(about).map(|()| Answer::Done);
        }
        match (operation, arguments.as_slice()) {
            (Operation::List, _) => return Ok(Answer::Text(self.list())),
            (Operation::Caps, _) => return Ok(Answer::Text(self.caps())),
            (Operation::Top, _) => return Ok(Answer::Text(self.top())),
            (Operation::Records, [count]) => {
                let count = count.parse().map_err(|_| Failure::Invalid)?;
                let records: Vec<&str> =
                    self.records.iter().take(count).map(String::as_str).collect();
                return Ok(Answer::Text(records.join("\n")));
            }
            (Operation::Power, [how]) => return self.power(how).map(|()| Answer::Done),
            (Operation::Hurt, ["init", how]) if self.may_hurt => {
                return hurt_itself(how).map(|()| Answer::Done);
            }
            (Operation::Start, [template, device, words]) => {
                return self.start_for(asks, template, device, words).map(Answer::Port);
            }
            (Operation::Disk, [device, pages]) => {
                let pages = pages.parse().map_err(|_| Failure::Invalid)?;
                return self
                    .disk_for(device, pages)
                    .map(|(port, memory)| Answer::Disk(port, memory));
            }
            _ => {}
        }
        let id = self.find(first).ok_or(Failure::NotFound)?;
        match (operation, arguments.as_slice()) {
            (Operation::Log, _) => return Ok(Answer::Text(log_of(first))),
            (Operation::Kill, _) => {
                let Life::Running(_) = self.services[&id].life else { return Err(Failure::Failed) };
                self.end_as_told(id);
            }
            (Operation::Restart, _) => self.end_as_told(id),
            (Operation::Stop, _) => return self.stop(id).map(|()| Answer::Later),
            (Operation::Hurt, [_, how]) => self.hurt(id, how)?,
            (Operation::Replace, _) => self.replace(id, received)?,
            _ => return Err(Failure::Invalid),
        }
        Ok(Answer::Done)
    }

    /// Ends a service that is to be started again: what it has died of before does not count any more.
    fn end_as_told(&mut self, id: Id) {
        let service = self.service(id);
        service.patience = Patience::default();
        service.end(Then::Again);
    }

    /// Whom a service means by the name of one that it speaks to.
    fn complained(&self, asks: Id, name: &str) -> Option<Id> {
        let service = &self.services[&asks];
        let connection = service.clients.iter().find(|client| client.0 == name);
        let anyone = || self.find(name).filter(|_| service.spec.has(Trait::Control));
        connection.map(|client| client.1).or_else(anyone)
    }

    /// Another program takes a service's place: it is loaded before the old one goes.
    fn replace(&mut self, id: Id, received: &Received) -> Result<(), Failure> {
        let (&[memory], length) = (received.handles(), received.words[1] as usize) else {
            return Err(Failure::Invalid);
        };
        let memory = core::mem::ManuallyDrop::new(Memory::from_raw(memory));
        let program = Rc::new(copy_of(&memory, length).map_err(|_| Failure::Invalid)?);
        let child = self.load(id, program.bytes()).map_err(|error| match error {
            Error::NoMemory => Failure::NoMemory,
            _ => Failure::Invalid,
        })?;
        let service = self.service(id);
        service.program = program;
        match service.life {
            Life::Running(_) | Life::Ending(..) => service.end(Then::Replaced(child)),
            Life::Pausing(_) | Life::Over(_) => self.launch(id, child),
        }
        Ok(())
    }

    fn power(&mut self, how: &str) -> Result<(), Failure> {
        let how = match how {
            "off" => POWER_OFF,
            "done" => POWER_SUCCESS,
            "fail" => POWER_FAILURE,
            "reboot" => POWER_RESTART,
            _ => return Err(Failure::Invalid),
        };
        self.finish(how);
        Ok(())
    }
}

/// A program as it is now, whatever its owner does with the memory.
fn copy_of(memory: &Memory, length: usize) -> Result<Program, Error> {
    let pages = memory.info()?.pages;
    if length as u64 > pages * PAGE {
        return Err(Error::Invalid);
    }
    let copy = memory.try_clone(0, pages)?;
    Ok(Program::Given(Mapping::new(&copy, 0, pages, 0)?, length))
}

/// The lines of the log that are a service's, or about it.
fn log_of(name: &str) -> String {
    let log = String::from_utf8_lossy(&rt::log::kept()).into_owned();
    let is_its = |line: &&str| {
        let line = line.strip_prefix("init: ").unwrap_or(line);
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ' ']))
    };
    log.lines().filter(is_its).flat_map(|line| [line, "\n"]).collect()
}
