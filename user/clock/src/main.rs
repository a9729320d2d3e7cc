//! # clock: the driver of the clock that goes on while the machine is off
//!
//! It is given the clock: registers, or the two I/O ports of a PC.
#![no_std]
#![no_main]

#[cfg_attr(target_arch = "aarch64", path = "device/pl031.rs")]
#[cfg_attr(target_arch = "x86_64", path = "device/cmos.rs")]
mod device;

use clock::{BROKEN, NOW};
use device::Clock;
use rt::abi::{Arrival, FOREVER};
use rt::message::Message;
use rt::service::Grants;
use rt::time::{SECOND, now};
use rt::{Error, Start, println};

rt::entry!(main);

/// The label of an answer to what makes no sense.
const INVALID: u32 = 2;

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let error = match Clock::open(&grants) {
        Ok(clock) => serve(&grants, &clock),
        Err(error) => error,
    };
    println!("{}: {error:?}", grants.name());
    1
}

/// Serves until the port is no more.
fn serve(grants: &Grants, clock: &Clock) -> Error {
    let inbox = grants.inbox();
    let mut answer = None;
    loop {
        let arrived = match answer.take() {
            Some(answer) => inbox.reply_receive(&answer, FOREVER),
            None => inbox.receive(FOREVER),
        };
        match arrived {
            Ok(received) if received.arrival == Arrival::Call => {
                received.close_handles();
                answer = Some(match (received.label(), clock.seconds()) {
                    (NOW, Some(seconds)) => Message::new(0).words(&[now(), seconds * SECOND]),
                    (NOW, None) => Message::new(BROKEN),
                    _ => Message::new(INVALID),
                });
            }
            // A message without a caller is nobody's, and the clock is not asked to interrupt.
            Ok(received) => received.close_handles(),
            Err(Error::Cancelled) => {}
            Err(error) => return error,
        }
    }
}
