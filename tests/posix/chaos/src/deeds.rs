//! What is done to whom.

use crate::random::Random;
use crate::sufferer;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Error, Result};

/// Where the supervisor is told what to do.
const CONTROL: &str = "/proc/ochre/control";
/// `EAGAIN`.
const NOT_NOW: i32 = 11;
/// Of so many deeds one is no plain end.
const ODD: u64 = 8;
/// What is done to services on whose bytes somebody relies, with the least number that goes with it, and how many
/// there are; nothing in this hurts any other service.
const ODDITIES: [(&str, u64, u64); 6] = [
    ("wild", 0, 1),
    ("hang", 0, 1),
    ("spurious", 0, 1),
    ("delay", 1, 500),
    ("lose", 1, 50),
    ("garbage", 0, 1 << 30),
];
/// What is done to one on whose bytes nobody relies: it may do anything then.
const DAMAGE: [(&str, u64, u64); 2] = [("register", 0, 1 << 20), ("stack", 0, 1 << 20)];
/// Bytes of the line that tells of a deed.
const LINE: usize = 240;

/// Who does it.
pub struct Deeds<'a> {
    /// What decides.
    pub random: Random,
    /// How much was done.
    pub done: u64,
    services: &'a [String],
    counts: BTreeMap<String, u64>,
}

impl Deeds<'_> {
    /// None yet.
    pub fn new(seed: u64, services: &[String]) -> Deeds<'_> {
        Deeds { random: Random(seed), done: 0, services, counts: BTreeMap::new() }
    }

    /// Does the next one. A service that does not run is left alone: it is on its way back.
    pub fn next(&mut self) -> Result<()> {
        let service = &self.services[self.random.below(self.services.len() as u64) as usize];
        let (odd, harm) = match sufferer::is_one(service) {
            true => (2, &DAMAGE[..]),
            false => (ODD, &ODDITIES[..]),
        };
        let chosen = self.random.below(odd * harm.len() as u64) as usize;
        let number = self.random.below(1 << 30);
        let (what, deed) = match harm.get(chosen) {
            None => ("kill", format!("kill {service}")),
            Some(&(how, _, 1)) => (how, format!("hurt {service} {how}")),
            Some(&(how, least, count)) => {
                (how, format!("hurt {service} {how}:{}", least + number % count))
            }
        };
        match fs::write(CONTROL, &deed) {
            Ok(()) => {
                self.done += 1;
                *self.counts.entry(format!("{service:<16} {what}")).or_default() += 1;
                let line = format!("deed {} {deed} ", self.done);
                println!("{line:.<LINE$}");
                Ok(())
            }
            Err(error) if error.raw_os_error() == Some(NOT_NOW) => Ok(()),
            Err(error) => Err(Error::new(error.kind(), format!("{deed}: {error}"))),
        }
    }

    /// How often what was done.
    pub fn counts(&self) -> String {
        self.counts.iter().map(|(deed, count)| format!("  {count:6} {deed}\n")).collect()
    }
}
