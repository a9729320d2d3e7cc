//! A service's port: what arrives is written into the diary, and pings are answered.

use super::Diary;
use crate::abi::{Arrival, Error};
use crate::message::{Message, Received};
use crate::object::{Port, reply};

/// The label of a call that every service answers with nothing: it is there, and does not hang.
pub const PING: u32 = u32::MAX;

/// The label of a call to a service that saves: it has all that it was given where that stays, then answers with
/// nothing. Others answer as to any label that they do not know.
pub const SAVE: u32 = u32::MAX - 1;

/// A message of the supervisor, with the badge of a client that is no more.
pub const LEFT: u32 = u32::MAX - 2;

/// Where a service receives.
#[derive(Clone, Copy, Debug)]
pub struct Inbox<'a> {
    port: &'a Port,
    diary: Option<Diary>,
}

impl<'a> Inbox<'a> {
    /// One without a diary, for what no supervisor watches.
    pub fn new(port: &'a Port) -> Inbox<'a> {
        Inbox { port, diary: None }
    }

    pub(super) fn with_diary(port: &'a Port, diary: Diary) -> Inbox<'a> {
        Inbox { port, diary: Some(diary) }
    }

    /// The port itself.
    pub fn port(&self) -> &'a Port {
        self.port
    }

    /// Waits for a message, a call, or signals. Whatever came before is served, unless its reply was saved.
    pub fn receive(&self, deadline: u64) -> Result<Received, Error> {
        self.done();
        self.begin(self.port.receive(deadline)?, deadline)
    }

    /// Answers the call that was received last, if there is one, then receives.
    pub fn reply_receive(&self, answer: &Message, deadline: u64) -> Result<Received, Error> {
        self.done();
        self.begin(self.port.reply_receive(answer, deadline)?, deadline)
    }

    fn begin(&self, mut received: Received, deadline: u64) -> Result<Received, Error> {
        while received.label() == PING && received.arrival == Arrival::Call {
            // Whoever asked may be gone.
            let _ = reply(&Message::new(0));
            received = self.port.receive(deadline)?;
        }
        if let Some(diary) = &self.diary {
            diary.begin(&received);
        }
        Ok(received)
    }

    fn done(&self) {
        if let Some(diary) = &self.diary {
            diary.done();
        }
    }
}
