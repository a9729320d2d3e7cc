//! A server at its port.

use crate::requests::Detach;
use crate::server::{Answer, Device, Server};
use crate::{Badge, Request};
use protocol::calls;
use rt::Error;
use rt::abi::{Arrival, FOREVER};
use rt::message::Received;
use rt::object::{Memory, Reply};
use rt::service::{Inbox, LEFT};
use rt::time::{SECOND, now};

/// How long the device may have something to do and finish none of it. It ends between two moments at which clients,
/// who ask every two seconds, ask again: one who has just given up its question would not be told.
const PATIENCE: u64 = 7 * SECOND;
/// How long until it is looked at then, for its interrupt may have been lost.
const LOOK: u64 = SECOND / 10;

/// Serves a device until its port is no more. Signals at the port are the device's.
pub fn serve<D>(inbox: Inbox, mut server: Server<D, Option<Reply>>) -> Error
where
    D: Device<Memory = Memory>,
{
    let mut answer = None;
    let (mut deadline, mut until) = (FOREVER, FOREVER);
    loop {
        let arrived = match answer.take() {
            Some(answer) => inbox.reply_receive(&answer, until),
            None => inbox.receive(until),
        };
        let was_busy = server.is_busy();
        match arrived {
            Ok(received) if received.arrival == Arrival::Call => {
                answer = call(&mut server, &received).map(calls::answer);
            }
            Ok(received) if received.arrival == Arrival::Signals => server.device().interrupt(),
            Ok(received) => {
                if received.label() == LEFT {
                    // What it has asked for last ends first.
                    let left = Request::Detach(Detach {});
                    let _ = server.request(Badge::of(received.badge), left, || None);
                }
                received.close_handles();
            }
            Err(Error::TimedOut) => server.device().interrupt(),
            // Somebody ended the wait, and nothing else.
            Err(Error::Cancelled) => {}
            Err(error) => return error,
        }
        let ended = finish(&mut server);
        until = FOREVER;
        if server.is_busy() {
            let now = now();
            if ended || !was_busy {
                deadline = now + PATIENCE;
            } else if now >= deadline {
                server.device().give_up();
                finish(&mut server);
            }
            until = deadline.min(now + LOOK);
        }
    }
}

/// Answers those whose transfers have ended; whether there were any.
fn finish<D: Device>(server: &mut Server<D, Option<Reply>>) -> bool {
    let mut any = false;
    server.ended(&mut |caller: Option<Reply>, answer| {
        any = true;
        // A caller that does not wait any more needs no answer.
        let _ = caller.map(|caller| caller.answer(&calls::answer(answer)));
    });
    any
}

/// Does what a call asks for; the answer, if there is one already.
fn call<D>(server: &mut Server<D, Option<Reply>>, received: &Received) -> Option<Answer>
where
    D: Device<Memory = Memory>,
{
    match calls::request(received, Request::read) {
        Ok(request) => server.request(Badge::of(received.badge), request, || Reply::save().ok()),
        Err(why) => Some(Err(why)),
    }
}
