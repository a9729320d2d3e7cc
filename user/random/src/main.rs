//! # random: the service that has bytes that nobody can guess
//!
//! It takes them from all sources that the machine has: its device, if it was given one, and the CPU. Whatever it
//! gives went through its generator, into which every request mixes fresh bytes first. A machine without any
//! source has moments of the clock, and the log says so.
#![no_std]
#![no_main]

extern crate alloc;

mod source;

use alloc::vec::Vec;
use random::{Generator, PIECE, SEED, Strength};
use rt::abi::{Arrival, FOREVER};
use rt::message::Message;
use rt::service::Grants;
use rt::{Error, Start, println};
use source::{Source, moments};

rt::entry!(main);

/// The label of an answer to what makes no sense.
const INVALID: u32 = 1;

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let error = serve(&grants, Well::open(&grants));
    println!("{}: {error:?}", grants.name());
    1
}

/// Serves until the port is no more.
fn serve(grants: &Grants, mut well: Well) -> Error {
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
                answer = Some(match received.label() {
                    SEED => Message::new(0).words(&well.seed()),
                    _ => Message::new(INVALID),
                });
            }
            // A message without a caller is nobody's, and nobody waits for the device's interrupts.
            Ok(received) => received.close_handles(),
            Err(Error::Cancelled) => {}
            Err(error) => return error,
        }
    }
}

/// The generator, and what fills it.
struct Well {
    generator: Generator,
    sources: Vec<Source>,
}

impl Well {
    fn open(grants: &Grants) -> Well {
        let mut well = Well { generator: Generator::default(), sources: source::all(grants) };
        well.stir();
        let names: Vec<&str> = well.sources.iter().map(|source| source.name).collect();
        match well.generator.strength() {
            Strength::Strong => println!("{}: from {}", grants.name(), names.join(" and ")),
            _ => println!("{}: there is no source: what it gives can be guessed", grants.name()),
        }
        well
    }

    /// Mixes in what the sources have. One that has nothing is asked no more.
    fn stir(&mut self) {
        let Well { generator, sources } = self;
        sources.retain_mut(|source| match source.read() {
            Some(bytes) => {
                generator.mix(&bytes, Strength::Strong);
                true
            }
            None => {
                println!("random: {} does not work", source.name);
                false
            }
        });
        if sources.is_empty() {
            moments().for_each(|moment| generator.mix(&moment.to_le_bytes(), Strength::Weak));
        }
    }

    /// A seed for somebody.
    fn seed(&mut self) -> [u64; PIECE / 8] {
        self.stir();
        let mut bytes = [0; PIECE];
        self.generator.fill(&mut bytes).expect("something is always mixed in");
        let (words, _) = bytes.as_chunks();
        core::array::from_fn(|nth| u64::from_le_bytes(words[nth]))
    }
}
