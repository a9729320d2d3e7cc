//! # console: the driver of the serial port
//!
//! Bytes that arrive go into one ring, bytes from the other go out; the client has the other ends of
//! both (see the library of this package). It sleeps until the interrupt, or the client, tells it that
//! something has changed. A machine whose line is not known, or cannot be had, is looked at now and then.
//!
//! It is given the device, the memory with the rings, and a bell of its client's.
#![no_std]
#![no_main]

#[cfg(target_arch = "aarch64")]
mod mini_uart;
#[cfg(target_arch = "aarch64")]
mod pl011;
mod uart;

use console::NEWS;
use core::cell::Cell;
use core::convert::Infallible;
use rt::abi::FOREVER;
use rt::ring::{self, Reader, Writer};
use rt::service::Grants;
use rt::{Error, Port, Start, println, time};
use uart::{Uart, Wanted};

/// From so many bytes on the client may have stopped for want of room.
const CROWDED: usize = ring::CAPACITY as usize / 2;
/// How often a port without interrupts is looked at.
const LOOK: u64 = 5_000_000;
/// When a port is looked at that has something to send, and whose interrupt may be lost.
const LATE: u64 = 100_000_000;
/// Bytes that belong together, as those of an arrow key do, arrive one by one. The client is told of them so
/// long after the last, and at the latest so long after the first: nobody notices that when typing.
const TOGETHER: u64 = 2_000_000;
const AT_THE_LATEST: u64 = 20_000_000;

rt::entry!(main);

fn main(start: Start) -> u64 {
    match serve(&Grants::read(&start)) {
        Ok(never) => match never {},
        Err(error) => {
            println!("console: {error:?}");
            1
        }
    }
}

/// Serves the client for ever.
fn serve(grants: &Grants) -> Result<Infallible, Error> {
    let uart = Uart::open(grants)?;
    let (received, to_send) = console::ends(grants)?;
    let client = Client { bell: grants.any_bell(), received, to_send, news: Cell::new(None) };
    // What a predecessor took in the client was perhaps not told of, and nobody will say again what there is to send.
    client.tell()?;
    let inbox = grants.inbox();
    loop {
        let wanted = client.serve(&uart)?;
        uart.want(wanted)?;
        let look = match uart.interrupts() {
            true if wanted.send => time::now() + LATE,
            true => FOREVER,
            false => time::now() + LOOK,
        };
        match inbox.receive(client.due().min(look)) {
            Ok(received) if received.signals() & uart.signal() != 0 => uart.quiet()?,
            Ok(_) | Err(Error::Cancelled) => {}
            Err(Error::TimedOut) => uart.quiet()?,
            Err(error) => return Err(error),
        }
    }
}

/// The driver's side of a client.
struct Client {
    bell: Option<&'static Port>,
    received: Writer,
    to_send: Reader,
    /// When the first byte came that it was not told of, and the last.
    news: Cell<Option<[u64; 2]>>,
}

impl Client {
    /// Tells it that something has changed.
    fn tell(&self) -> Result<(), Error> {
        self.news.set(None);
        self.bell.map_or(Ok(()), |bell| bell.signal(NEWS))
    }

    /// When it is to be told what has arrived.
    fn due(&self) -> u64 {
        let due = |[first, last]: [u64; 2]| (last + TOGETHER).min(first + AT_THE_LATEST);
        self.news.get().map_or(FOREVER, due)
    }

    /// Moves all bytes that can be moved; what is worth an interrupt.
    fn serve(&self, uart: &Uart) -> Result<Wanted, Error> {
        let mut arrived = false;
        let mut room = self.received.room()?;
        while room > 0 {
            let Some(byte) = uart.read() else { break };
            self.received.write(&[byte])?;
            room -= 1;
            arrived = true;
        }
        if arrived {
            let now = time::now();
            let first = self.news.get().map_or(now, |[first, _]| first);
            self.news.set(Some([first, now]));
        }
        let mut waiting = self.to_send.filled()?;
        let may_be_full = waiting > CROWDED;
        while waiting > 0 && uart.can_write() {
            let mut byte = [0];
            self.to_send.read(&mut byte)?;
            uart.write(byte[0]);
            waiting -= 1;
        }
        let told = self.news.get().is_some() && (room == 0 || self.due() <= time::now());
        if told || may_be_full {
            self.tell()?;
        }
        Ok(Wanted { receive: room > 0, send: waiting > 0 })
    }
}
