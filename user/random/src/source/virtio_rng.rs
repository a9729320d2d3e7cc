//! A virtio device for the purpose (virtio 1.2, 5.4).

use super::{Bytes, Source};
use alloc::boxed::Box;
use random::PIECE;
use rt::println;
use rt::service::Grants;
use virtio::{OWN, Piece, Queue, Transport, within};

/// Descriptors of the queue: as many as QEMU's device takes.
const LENGTH: u16 = 8;
/// How often to look, with a nap between, until the device has given some.
const PATIENCE: u32 = 25_000;

struct Rng {
    transport: Box<dyn Transport>,
    queue: Queue,
}

/// The one that was given.
pub fn source(grants: &Grants) -> Option<Source> {
    let opened = virtio::open(grants).and_then(|transport| {
        let queue = Queue::new(grants.dma(), LENGTH)?;
        Ok(Rng { transport, queue })
    });
    let mut rng = opened
        .inspect_err(|why| println!("{}: its device cannot be used: {why:?}", grants.name()))
        .ok()?;
    let begun = rng.transport.begin(&mut rng.queue, 0);
    begun.inspect_err(|why| println!("{}: virtio-rng: {why:?}", grants.name())).ok()?;
    rng.queue.needs_no_interrupt();
    Some(Source::new("virtio-rng", move || rng.read()))
}

impl Rng {
    /// Asks for bytes until there are enough: it may give fewer each time, but at least one.
    fn read(&mut self) -> Option<Bytes> {
        let (mut bytes, mut count) = ([0; PIECE], 0);
        while count < PIECE {
            let left = &mut bytes[count..];
            let given = self.ask(left.len() as u32)?.clamp(0, left.len());
            for (at, byte) in (OWN..).zip(&mut left[..given]) {
                *byte = self.queue.get(at);
                // The memory outlives this process.
                self.queue.set(at, 0u8);
            }
            count += given;
        }
        Some(bytes)
    }

    /// Has the device write so many bytes; how many it says it has.
    fn ask(&mut self, bytes: u32) -> Option<usize> {
        let physical = self.queue.physical(OWN);
        self.queue.describe(0, Piece { physical, bytes, written: true }, None);
        self.queue.give(0);
        self.transport.notify();
        let mut taken = None;
        within(PATIENCE, || {
            taken = self.queue.take();
            taken.is_some()
        });
        taken.map(|(_, written)| written as usize).filter(|&written| written > 0)
    }
}
