//! # console: the driver of the serial port
//!
//! Bytes that arrive go into one ring, bytes from the other go out; the client has the other ends of
//! both (see the library of this package). It sleeps until the interrupt, or the client, tells it that
//! something has changed. A machine whose line is not known, or cannot be had, is looked at now and then.
//!
//! It is given the right to use devices, to log, and the port where clients find it.
#![no_std]
#![no_main]

#[cfg(target_arch = "aarch64")]
mod mini_uart;
#[cfg(target_arch = "aarch64")]
mod pl011;
mod uart;

use console::{CONNECT, RECEIVED, TO_SEND};
use core::cell::Cell;
use rt::abi::{Arrival, FOREVER};
use rt::message::Received;
use rt::object::Object;
use rt::ring::{self, Reader, Writer};
use rt::{Error, Memory, Port, Start, println, time};
use uart::{Uart, Wanted};

/// The signal of the interrupt.
const INTERRUPT: u64 = 2;
/// From so many bytes on the client may have stopped for want of room.
const CROWDED: usize = ring::CAPACITY as usize / 2;
/// How often a port without interrupts is looked at.
const LOOK: u64 = 5_000_000;
/// Bytes that belong together, as those of an arrow key do, arrive one by one. The client is told of them so
/// long after the last, and at the latest so long after the first: nobody notices that when typing.
const TOGETHER: u64 = 2_000_000;
const AT_THE_LATEST: u64 = 20_000_000;

rt::entry!(main);

fn main(start: Start) -> u64 {
    let port = Port::from_raw(start.words[0]);
    match serve(&port) {
        Ok(never) => match never {},
        Err(error) => {
            println!("console: {error:?}");
            1
        }
    }
}

/// Serves one client after the other.
fn serve(port: &Port) -> Result<core::convert::Infallible, Error> {
    let uart = Uart::open(port, INTERRUPT)?;
    let mut client: Option<Client> = None;
    loop {
        let look = if uart.interrupts() { FOREVER } else { time::now() + LOOK };
        let deadline = client.as_ref().map_or(FOREVER, Client::due).min(look);
        match port.receive(deadline) {
            Ok(received) if received.arrival == Arrival::Signals => {
                if received.signals() & INTERRUPT != 0 {
                    uart.quiet()?;
                }
            }
            Ok(received) => client = Client::accept(&received).or(client),
            Err(Error::TimedOut) => {}
            Err(error) => return Err(error),
        }
        let wanted = match client.as_ref().map(|client| client.serve(&uart)) {
            Some(Ok(wanted)) => wanted,
            // One whose counts cannot be, or that is gone, is no client.
            Some(Err(_)) | None => {
                client = None;
                Wanted::default()
            }
        };
        uart.want(wanted)?;
    }
}

/// The driver's side of a client.
struct Client {
    port: Port,
    bits: u64,
    received: Writer,
    to_send: Reader,
    /// When the first byte came that it was not told of, and the last.
    news: Cell<Option<[u64; 2]>>,
}

impl Client {
    /// The client that a message makes itself; none if it is another message.
    fn accept(message: &Received) -> Option<Client> {
        let handles = message.handles();
        if message.label() != CONNECT || handles.len() != 2 {
            handles.iter().for_each(|&handle| drop(Port::from_raw(handle)));
            return None;
        }
        let (memory, port) = (Memory::from_raw(handles[0]), Port::from_raw(handles[1]));
        let received = Writer::new(&memory, RECEIVED).ok()?;
        let to_send = Reader::new(&memory, TO_SEND).ok()?;
        Some(Client { port, bits: message.words[0], received, to_send, news: Cell::new(None) })
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
            self.news.set(None);
            self.port.signal(self.bits)?;
        }
        Ok(Wanted { receive: room > 0, send: waiting > 0 })
    }
}
