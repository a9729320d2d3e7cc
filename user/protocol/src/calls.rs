//! Requests and answers as messages of the kernel's, on both sides.

use crate::parcel::WORDS;
use crate::{Again, Ask, DONE, Fails, Parcel, Put, Reader, Take};
use rt::abi::{FOREVER, Info, MESSAGE_WORDS};
use rt::message::{Answer, Message, Received};
use rt::object::{Memory, Object, Port, close};
use rt::{Error, time};

/// Servers that may end over one request. If there is none any more, calls end at once.
const ENDS: u32 = 64;

/// How long one waits for a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// Nanoseconds after which it is late.
    pub late: u64,
    /// How often it may be.
    pub times: u32,
}

impl Patience {
    /// One waits for ever.
    pub const ENDLESS: Patience = Patience { late: FOREVER, times: u32::MAX };
}

/// The server ended, and there is no other; or this is no request that can be made again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost;

/// Makes a call, of whoever serves the port then, until it is answered. `complain` is called each time that
/// the server is late: it may tell somebody, who finds out whether it hangs.
pub fn call(
    port: &Port,
    message: &Message<'_>,
    again: Again,
    patience: Patience,
    complain: &mut dyn FnMut(),
) -> Result<Answer, Lost> {
    let (mut ends, mut waits) = (0, 0);
    while ends < ENDS && waits < patience.times {
        match port.call(message, time::now().saturating_add(patience.late)) {
            Ok(answer) => return Ok(answer),
            Err(Error::PeerGone) if again != Again::Never => ends += 1,
            Err(Error::TimedOut) if again != Again::Never => {
                waits += 1;
                complain();
            }
            // Somebody ended the wait, and nothing else.
            Err(Error::Cancelled) if again != Again::Never => {}
            Err(_) => return Err(Lost),
        }
    }
    Err(Lost)
}

/// Asks whoever serves a port, and waits for the answer. Handles that go along stay the sender's as well.
pub fn ask<A: Ask>(
    port: &Port,
    ask: A,
    patience: Patience,
    complain: &mut dyn FnMut(),
) -> Result<A::Answer, A::Failure> {
    let parcel = Parcel::of(ask);
    let message = message(A::LABEL, &parcel).copied();
    let answer = call(port, &message, A::AGAIN, patience, complain);
    told::<A>(&answer.map_err(|Lost| A::Failure::OTHERWISE)?)
}

/// What a request was answered.
pub fn told<A: Ask>(answer: &Answer) -> Result<A::Answer, A::Failure> {
    opened(answer.info, &answer.words, A::told)
}

/// The request in a call, by the protocol's `Request::read`.
pub fn request<'a, R, F>(
    received: &'a Received,
    read: impl FnOnce(u32, &mut Reader<'a>) -> Result<R, F>,
) -> Result<R, F> {
    opened(received.info, &received.words, read)
}

/// The message that answers a request.
pub fn answer<F: Fails>(result: Result<Parcel, F>) -> Message<'static> {
    match result {
        Ok(parcel) => {
            let message = Message::new(DONE).words(parcel.words());
            parcel.handles().iter().fold(message, |message, &handle| message.handle(handle))
        }
        Err(why) => Message::new(why.label()),
    }
}

/// A parcel as a message, which lends its bytes.
pub fn message(label: u32, parcel: &Parcel) -> Message<'_> {
    let message = Message::new(label).words(parcel.words());
    let message = if parcel.bytes().is_empty() { message } else { message.lend(parcel.bytes()) };
    parcel.handles().iter().fold(message, |message, &handle| message.handle(handle))
}

/// Reads what is in a message, and closes the handles that nobody wanted.
fn opened<'a, T>(
    info: Info,
    words: &'a [u64; MESSAGE_WORDS],
    read: impl FnOnce(u32, &mut Reader<'a>) -> T,
) -> T {
    let handles = &words[MESSAGE_WORDS - info.handles().min(MESSAGE_WORDS)..];
    let mut from = Reader { words: &words[..WORDS], handles, bytes: &[] };
    let value = read(info.label(), &mut from);
    for &handle in from.handles {
        // Whoever sent it may have taken it away.
        let _ = close(handle);
    }
    value
}

/// Objects go along with answers, and are then the receiver's.
macro_rules! objects {
    ($($type:ty)+) => {$(
        impl Put for $type {
            fn put(self, to: &mut Parcel) {
                crate::parcel::Handle(self.into_raw()).put(to);
            }
        }

        impl Take<'_> for $type {
            fn take(from: &mut Reader<'_>) -> Option<$type> {
                let handle: crate::parcel::Handle = from.take()?;
                Some(<$type>::from_raw(handle.0))
            }
        }
    )+};
}

objects!(Memory Port);
