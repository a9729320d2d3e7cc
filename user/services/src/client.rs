//! The side that asks.

use crate::control::{ARGUMENTS, Disk, Failure, Replace, Start};
use alloc::string::String;
use protocol::calls::{self, Lost, Patience};
use protocol::parcel::Handle;
use protocol::{Ask, Parcel};
use rt::message::Message;
use rt::object::Object;
use rt::{Memory, Port};

/// Bytes of text that are asked for at first.
const TEXT: usize = 16 << 10;

/// A connection to the supervisor.
#[derive(Clone, Copy, Debug)]
pub struct Control<'a>(pub &'a Port);

impl Control<'_> {
    /// Asks for a text.
    pub fn ask<A: Ask<Answer = u64, Failure = Failure> + Copy>(
        &self,
        ask: A,
    ) -> Result<String, Failure> {
        let mut text = alloc::vec![0; TEXT];
        loop {
            let length = self.call(ask, &mut text)? as usize;
            if length <= text.len() {
                text.truncate(length);
                return String::from_utf8(text).map_err(|_| Failure::Failed);
            }
            text.resize(length + TEXT, 0);
        }
    }

    /// Has something done.
    pub fn tell<A: Ask<Answer = (), Failure = Failure>>(&self, ask: A) -> Result<(), Failure> {
        self.call(ask, &mut [])
    }

    /// Starts a service for a device; where that is spoken to.
    pub fn start(&self, template: &str, device: &str, words: &str) -> Result<Port, Failure> {
        let Handle(port) = self.call(Start { template, device, words }, &mut [])?;
        Ok(Port::from_raw(port))
    }

    /// A way to a disk, or a partition, and so many pages of memory that it reaches.
    pub fn disk(&self, device: &str, pages: u64) -> Result<(Port, Memory), Failure> {
        let (Handle(port), Handle(memory)) = self.call(Disk { pages, device }, &mut [])?;
        Ok((Port::from_raw(port), Memory::from_raw(memory)))
    }

    /// Has a program of so many bytes take the place of a service's.
    pub fn replace(&self, service: &str, program: &Memory, bytes: u64) -> Result<(), Failure> {
        self.tell(Replace { bytes, service, program: Handle(program.raw()) })
    }

    fn call<A: Ask<Failure = Failure>>(
        &self,
        ask: A,
        text: &mut [u8],
    ) -> Result<A::Answer, Failure> {
        let parcel = Parcel::of(ask);
        let given = parcel.to_bytes();
        if given.len() > ARGUMENTS {
            return Err(Failure::Invalid);
        }
        let words = [given.len() as u64, text.len() as u64];
        let mut message = Message::new(A::LABEL).words(&words).lend(&given).copied();
        if !text.is_empty() {
            message = message.lend_mut(text);
        }
        let message = parcel.handles().iter().fold(message, |message, &it| message.handle(it));
        let answer = calls::call(
            self.0,
            &message,
            A::AGAIN,
            Patience::ENDLESS,
            &calls::makes_sense::<A>,
            &mut || (),
        );
        calls::told::<A>(&answer.map_err(|Lost| Failure::Failed)?)
    }
}
