//! The clock of a PC (Motorola MC146818), as firmware set it.

use clock::calendar::{FIELDS, seconds};
use rt::Error;
use rt::service::{Grants, Io};

/// Whether the fields are about to change; how they are written.
const STATUS_A: u64 = 0x0a;
const CHANGES: u64 = 1 << 7;
const STATUS_B: u64 = 0x0b;
/// How often it is read until two readings are the same.
const ATTEMPTS: usize = 10_000;

/// Two ports: which register, and what is in it.
pub struct Clock(Io);

impl Clock {
    /// The one that was given.
    pub fn open(grants: &Grants) -> Result<Clock, Error> {
        Ok(Clock(grants.io()))
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> Option<u64> {
        let steady = || {
            self.get(STATUS_A).filter(|status| status & CHANGES == 0).and_then(|_| self.fields())
        };
        let read = (0..ATTEMPTS).find_map(|_| steady().filter(|first| steady() == Some(*first)))?;
        seconds(read, self.get(STATUS_B)?)
    }

    fn fields(&self) -> Option<[u64; 6]> {
        let mut fields = [0; 6];
        for (field, register) in fields.iter_mut().zip(FIELDS) {
            *field = self.get(register)?;
        }
        Some(fields)
    }

    fn get(&self, register: u64) -> Option<u64> {
        let Clock(Io { ports, first, .. }) = self;
        ports.write(*first, 1, register).ok()?;
        ports.read(first + 1, 1).ok()
    }
}
