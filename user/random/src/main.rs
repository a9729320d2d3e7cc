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
use protocol::{Ask, Parcel, calls};
use random::requests::{Failure, Request};
use random::{Generator, PIECE, Strength};
use rt::message::Received;
use rt::service::Grants;
use rt::{Start, println};
use source::{Source, moments};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let mut well = Well::open(&grants);
    let error = protocol::serve(grants.inbox(), |received| well.answer(received));
    println!("{}: {error:?}", grants.name());
    1
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

    fn answer(&mut self, received: &Received) -> Result<Parcel, Failure> {
        let Request::Seed(asked) = calls::request(received, Request::read)?;
        Ok(asked.answer(self.seed()))
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
