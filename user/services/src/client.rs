//! The side that asks.

use crate::control::{ARGUMENTS, Failure, Operation};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rt::abi::FOREVER;
use rt::message::{Answer, Message};
use rt::object::Object;
use rt::{Memory, Port};

/// Bytes of text that are asked for at first.
const TEXT: usize = 16 << 10;

/// A connection to the supervisor.
#[derive(Clone, Copy, Debug)]
pub struct Control<'a>(pub &'a Port);

impl Control<'_> {
    /// Asks for something; the text that comes back.
    pub fn ask(&self, operation: Operation, arguments: &[&str]) -> Result<String, Failure> {
        let mut text = alloc::vec![0; TEXT];
        loop {
            let length = self.call(operation, arguments, &mut text)?.words[0] as usize;
            if length <= text.len() {
                text.truncate(length);
                return String::from_utf8(text).map_err(|_| Failure::Failed);
            }
            text.resize(length + TEXT, 0);
        }
    }

    /// Starts a service for a device; where that is spoken to.
    pub fn start(&self, template: &str, device: &str, words: &str) -> Result<Port, Failure> {
        let answer = self.call(Operation::Start, &[template, device, words], &mut [])?;
        let &[port] = answer.handles() else { return Err(Failure::Failed) };
        Ok(Port::from_raw(port))
    }

    /// A way to a disk, or a partition, and so many pages of memory that it reaches.
    pub fn disk(&self, device: &str, pages: u64) -> Result<(Port, Memory), Failure> {
        let answer = self.call(Operation::Disk, &[device, &pages.to_string()], &mut [])?;
        let &[port, memory] = answer.handles() else { return Err(Failure::Failed) };
        Ok((Port::from_raw(port), Memory::from_raw(memory)))
    }

    /// Has a program of so many bytes take the place of a service's.
    pub fn replace(&self, service: &str, program: &Memory, bytes: u64) -> Result<(), Failure> {
        let message = Message::new(Operation::Replace as u32);
        let message = message.words(&[service.len() as u64, bytes]);
        let message = message.lend(service.as_bytes()).handle(program.raw()).copied();
        check(self.0.call(&message, FOREVER)).map(|_| ())
    }

    fn call(
        &self,
        operation: Operation,
        arguments: &[&str],
        text: &mut [u8],
    ) -> Result<Answer, Failure> {
        let given: Vec<u8> = arguments.join("\0").into_bytes();
        if given.len() > ARGUMENTS {
            return Err(Failure::Invalid);
        }
        let words = [given.len() as u64, text.len() as u64];
        let message = Message::new(operation as u32).words(&words).lend(&given).lend_mut(text);
        check(self.0.call(&message, FOREVER))
    }
}

fn check(answer: Result<Answer, rt::Error>) -> Result<Answer, Failure> {
    let answer = answer.map_err(|_| Failure::Failed)?;
    match answer.info.label() {
        0 => Ok(answer),
        label => Err(Failure::of(label).unwrap_or(Failure::Failed)),
    }
}
