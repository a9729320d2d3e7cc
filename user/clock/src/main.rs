//! # clock: the driver of the clock that goes on while the machine is off
//!
//! It is given the clock: registers, or the two I/O ports of a PC.
#![no_std]
#![no_main]

#[cfg_attr(target_arch = "aarch64", path = "device/pl031.rs")]
#[cfg_attr(target_arch = "x86_64", path = "device/cmos.rs")]
mod device;

use clock::requests::{Failure, Request};
use device::Clock;
use protocol::{Ask, Parcel, calls};
use rt::message::Received;
use rt::service::Grants;
use rt::time::{SECOND, now};
use rt::{Start, println};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let error = match Clock::open(&grants) {
        Ok(clock) => protocol::serve(grants.inbox(), |received| answer(&clock, received)),
        Err(error) => error,
    };
    println!("{}: {error:?}", grants.name());
    1
}

fn answer(clock: &Clock, received: &Received) -> Result<Parcel, Failure> {
    let Request::Now(asked) = calls::request(received, Request::read)?;
    let seconds = clock.seconds().ok_or(Failure::Broken)?;
    Ok(asked.answer((now(), seconds * SECOND)))
}
