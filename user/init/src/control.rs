//! What clients ask for.

use crate::hurt::hurt_itself;
use crate::service::{Id, Life, Program, Then};
use crate::supervisor::Supervisor;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::ManuallyDrop;
use protocol::{Parcel, Reader, calls};
use rt::abi::{PAGE, POWER_FAILURE, POWER_OFF, POWER_RESTART, POWER_SUCCESS};
use rt::message::Received;
use rt::object::{Object, lease_read, lease_write, reply};
use rt::space::Mapping;
use rt::{Error, Memory, Port, println};
use services::control::{
    ARGUMENTS, Complain, Disk, Failure, Hurt, Kill, Log, Power, Records, Replace, Request, Restart,
    Start, Stop,
};
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
            Ok(Answer::Done) => Ok(Parcel::default()),
            Ok(Answer::Port(port)) => Ok(Parcel::of(port)),
            Ok(Answer::Disk(port, memory)) => Ok(Parcel::of((port, memory))),
            Ok(Answer::Text(text)) => {
                let room = (received.words[1] as usize).min(text.len());
                // One without room for it hears how long it is.
                let _ = lease_write(None, 1, 0, &text.as_bytes()[..room]);
                Ok(Parcel::of(text.len() as u64))
            }
            Err(failure) => Err(failure),
        };
        // Whoever asked may be gone.
        let _ = reply(&calls::answer(answer));
    }

    fn serve(&mut self, asks: Id, received: &Received) -> Result<Answer, Failure> {
        let mut given = [0; ARGUMENTS];
        let given = given.get_mut(..received.words[0] as usize).ok_or(Failure::Invalid)?;
        lease_read(None, 0, 0, given).map_err(|_| Failure::Invalid)?;
        let mut from = Reader { bytes: given, handles: received.handles(), words: &[] };
        let request = Request::read(received.label(), &mut from)?;
        let controls = self.services[&asks].spec.has(Trait::Control);
        if !controls && !matches!(request, Request::Complain(_)) {
            return Err(Failure::NotAllowed);
        }
        match request {
            Request::List(_) => return Ok(Answer::Text(self.list())),
            Request::Caps(_) => return Ok(Answer::Text(self.caps())),
            Request::Top(_) => return Ok(Answer::Text(self.top())),
            Request::Recoveries(_) => return Ok(Answer::Text(self.recoveries())),
            Request::Log(Log { service }) => {
                self.named(service)?;
                return Ok(Answer::Text(log_of(service)));
            }
            Request::Records(Records { count }) => {
                let records = self.records.iter().take(count as usize).map(String::as_str);
                return Ok(Answer::Text(records.collect::<Vec<&str>>().join("\n")));
            }
            Request::Start(Start { template, device, words }) => {
                return self.start_for(asks, template, device, words).map(Answer::Port);
            }
            Request::Disk(Disk { pages, device }) => {
                let disk = self.disk_for(device, pages);
                return disk.map(|(port, memory)| Answer::Disk(port, memory));
            }
            Request::Stop(Stop { service }) => {
                let id = self.named(service)?;
                return self.stop(id).map(|()| Answer::Later);
            }
            Request::Complain(Complain { service }) => {
                let about = self.complained(asks, service).ok_or(Failure::NotFound)?;
                self.ping(about)?;
            }
            Request::Kill(Kill { service }) => {
                let id = self.named(service)?;
                let Life::Running(_) = self.services[&id].life else { return Err(Failure::Failed) };
                self.end_as_told(id);
            }
            Request::Restart(Restart { service }) => self.end_as_told(self.named(service)?),
            Request::Replace(program) => self.replace(self.named(program.service)?, program)?,
            Request::Power(Power { how }) => self.power(how)?,
            Request::Hurt(Hurt { service: "init", how }) if self.may_hurt => hurt_itself(how)?,
            Request::Hurt(Hurt { service, how }) => self.hurt(self.named(service)?, how)?,
        }
        Ok(Answer::Done)
    }

    fn named(&self, name: &str) -> Result<Id, Failure> {
        self.find(name).ok_or(Failure::NotFound)
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
    fn replace(&mut self, id: Id, program: Replace<'_>) -> Result<(), Failure> {
        // Whoever took the message closes it.
        let memory = ManuallyDrop::new(Memory::from_raw(program.program.0));
        let length = program.bytes as usize;
        let program = copy_of(&memory, length).map_err(|_| Failure::Invalid)?;
        let child = self.load(id, program.bytes()).map_err(|error| match error {
            Error::NoMemory => Failure::NoMemory,
            _ => Failure::Invalid,
        })?;
        let service = self.service(id);
        println!("init: {}: another program takes its place", service.name);
        service.change_program(program);
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
