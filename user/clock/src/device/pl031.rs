//! The PL031 (ARM DDI 0224).

use rt::Error;
use rt::registers::Registers;
use rt::service::Grants;

/// Seconds since 1970 (3.3.1).
const DATA: u64 = 0x000;

pub struct Clock(Registers);

impl Clock {
    /// The one that was given.
    pub fn open(grants: &Grants) -> Result<Clock, Error> {
        let registers = Registers::new(grants.window())?;
        if registers.has::<u32>(DATA) { Ok(Clock(registers)) } else { Err(Error::Invalid) }
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> Option<u64> {
        Some(self.0.get::<u32>(DATA).into())
    }
}
