//! A server at its port.

use crate::server::{Answer, Device, Request, Server};
use crate::{Badge, Extent, Failure, Transfer, label};
use rt::Error;
use rt::abi::{Arrival, FOREVER};
use rt::message::{Message, Received};
use rt::object::{Memory, Object, Reply};
use rt::service::Inbox;
use rt::time::{SECOND, now};

/// How long the device may have something to do and finish none of it.
const PATIENCE: u64 = 8 * SECOND;
/// How long until it is looked at then, for its interrupt may have been lost.
const LOOK: u64 = SECOND / 10;

/// Serves a device until its port is no more. Signals at the port are the device's.
pub fn serve<D>(inbox: Inbox, mut server: Server<D, Option<Reply>>) -> Error
where
    D: Device<Memory = Memory>,
{
    let mut answer = None;
    let mut deadline = FOREVER;
    loop {
        let until = if server.is_busy() { deadline.min(now() + LOOK) } else { FOREVER };
        let arrived = match answer.take() {
            Some(answer) => inbox.reply_receive(&answer, until),
            None => inbox.receive(until),
        };
        let was_busy = server.is_busy();
        match arrived {
            Ok(received) if received.arrival == Arrival::Call => {
                answer = call(&mut server, &received).map(encode);
            }
            Ok(received) if received.arrival == Arrival::Signals => server.device().interrupt(),
            // A message without a caller is nobody's.
            Ok(received) => received.close_handles(),
            Err(Error::TimedOut) => server.device().interrupt(),
            // Somebody ended the wait, and nothing else.
            Err(Error::Cancelled) => {}
            Err(error) => return error,
        }
        if finish(&mut server) || !was_busy {
            deadline = now() + PATIENCE;
        } else if now() >= deadline {
            server.device().give_up();
            finish(&mut server);
        }
    }
}

/// Answers those whose transfers have ended; whether there were any.
fn finish<D: Device>(server: &mut Server<D, Option<Reply>>) -> bool {
    let mut any = false;
    server.ended(&mut |caller: Option<Reply>, answer| {
        any = true;
        // A caller that does not wait any more needs no answer.
        let _ = caller.map(|caller| caller.answer(&encode(answer)));
    });
    any
}

/// Does what a call asks for; the answer, if there is one already.
fn call<D>(server: &mut Server<D, Option<Reply>>, received: &Received) -> Option<Answer>
where
    D: Device<Memory = Memory>,
{
    match request(received) {
        Ok(request) => server.request(Badge::of(received.badge), request, || Reply::save().ok()),
        Err(why) => Some(Err(why)),
    }
}

fn request(received: &Received) -> Result<Request<Memory>, Failure> {
    let [sector, count, offset, ..] = received.words;
    let extent = Extent { sector, count, offset };
    if received.label() == label::ATTACH {
        let &[memory] = received.handles() else {
            received.close_handles();
            return Err(Failure::Invalid);
        };
        return Ok(Request::Attach(Memory::from_raw(memory)));
    }
    received.close_handles();
    Ok(match received.label() {
        label::DETACH => Request::Detach,
        label::DESCRIBE => Request::Describe,
        label::PARTITION => Request::Partition(sector),
        label::READ => Request::Transfer(Transfer::Read(extent)),
        label::WRITE => Request::Transfer(Transfer::Write(extent)),
        label::FLUSH => Request::Transfer(Transfer::Flush),
        _ => return Err(Failure::Invalid),
    })
}

fn encode(answer: Answer) -> Message<'static> {
    match answer {
        Ok(words) => Message::new(0).words(&words),
        Err(why) => Message::new(why as u32),
    }
}
