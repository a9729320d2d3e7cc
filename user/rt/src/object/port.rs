//! Where messages arrive.

use super::{Object, duplicate, objects};
use crate::abi::{Arrival, Call, Error, Info, MESSAGE_WORDS, PortRights};
use crate::arch::{DEADLINE, Registers, TAG};
use crate::call::{invoke, invoke_until};
use crate::message::{Answer, Message, Received};

objects! {
    /// A bounded queue of messages, and the threads that wait on it.
    Port, PortRights;
}

impl Port {
    /// A port whose queue holds so many messages.
    pub fn create(capacity: u64) -> Result<Port, Error> {
        invoke(Call::PortCreate, [capacity]).map(|out| Port::from_raw(out[1]))
    }

    /// Another handle to it, with this badge on all that comes through it.
    pub fn badged(&self, rights: PortRights, badge: u64) -> Result<Port, Error> {
        duplicate(self.raw(), rights.bits(), badge).map(Port::from_raw)
    }

    /// Puts a message into the queue; if it is full waits until the deadline.
    pub fn send(&self, message: &Message, deadline: u64) -> Result<(), Error> {
        invoke_until(Call::Send, outgoing(self.raw(), message), deadline).map(|_| ())
    }

    /// Sends, and waits for the answer.
    pub fn call(&self, message: &Message, deadline: u64) -> Result<Answer, Error> {
        let out = invoke_until(Call::Call, outgoing(self.raw(), message), deadline)?;
        Ok(Answer { info: Info(out[1]), words: words(&out) })
    }

    /// Waits for a message, a call, or signals.
    pub fn receive(&self, deadline: u64) -> Result<Received, Error> {
        received(invoke_until(Call::Receive, [self.raw()], deadline)?)
    }

    /// Answers the call this thread received last, if there is one, then receives.
    pub fn reply_receive(&self, answer: &Message, deadline: u64) -> Result<Received, Error> {
        received(invoke_until(Call::ReplyReceive, outgoing(self.raw(), answer), deadline)?)
    }

    /// The same with an answer of one word, for servers that are in a hurry.
    #[inline]
    pub fn reply_word_receive(
        &self,
        label: u32,
        word: u64,
        deadline: u64,
    ) -> Result<Received, Error> {
        let arguments = [self.raw(), Info::new(label).0, word];
        received(invoke_until(Call::ReplyReceive, arguments, deadline)?)
    }

    /// Sets signals.
    pub fn signal(&self, bits: u64) -> Result<(), Error> {
        invoke(Call::Signal, [self.raw(), bits]).map(|_| ())
    }
}

/// A handle and a message, as the calls want them.
pub(super) fn outgoing(handle: u64, message: &Message) -> [u64; 2 + MESSAGE_WORDS] {
    let (info, [w0, w1, w2, w3, w4, w5]) = message.encode();
    [handle, info.0, w0, w1, w2, w3, w4, w5]
}

fn received(out: Registers) -> Result<Received, Error> {
    let arrival = match out[0] {
        1 => Arrival::Message,
        2 => Arrival::Call,
        3 => Arrival::Signals,
        4 => Arrival::Foreign,
        5 => Arrival::Fault,
        _ => return Err(Error::Invalid),
    };
    let (info, words) = (Info(out[1]), words(&out));
    Ok(Received { arrival, info, words, badge: out[DEADLINE], tag: out[TAG] })
}

fn words(out: &Registers) -> [u64; MESSAGE_WORDS] {
    [out[2], out[3], out[4], out[5], out[6], out[7]]
}
