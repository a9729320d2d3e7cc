//! What drivers need: interrupts, timers, I/O ports.

use super::{Machine, Object, Port, objects};
use crate::abi::{Call, Error};
use crate::call::invoke;

objects! {
    /// A line of the interrupt controller.
    Interrupt, InterruptRights;
    /// A deadline that signals a port.
    Timer, TimerRights;
    /// A range of I/O ports (x86-64).
    IoPorts, IoRights;
}

impl Interrupt {
    /// A line that sets signals at a port.
    pub fn create(
        machine: &Machine,
        line: u64,
        port: &Port,
        bits: u64,
    ) -> Result<Interrupt, Error> {
        let out = invoke(Call::InterruptCreate, [machine.raw(), line, port.raw(), bits])?;
        Ok(Interrupt::from_raw(out[1]))
    }

    /// Lets the next interrupt through.
    pub fn ack(&self) -> Result<(), Error> {
        invoke(Call::InterruptAck, [self.raw()]).map(|_| ())
    }
}

impl Timer {
    /// A timer that sets signals at a port.
    pub fn create(port: &Port, bits: u64) -> Result<Timer, Error> {
        let out = invoke(Call::TimerCreate, [port.raw(), bits])?;
        Ok(Timer::from_raw(out[1]))
    }

    /// Sets when it does; `FOREVER` for never.
    pub fn set(&self, deadline: u64) -> Result<(), Error> {
        invoke(Call::TimerSet, [self.raw(), deadline]).map(|_| ())
    }
}

impl IoPorts {
    /// A range of I/O ports.
    pub fn create(machine: &Machine, first: u16, count: u64) -> Result<IoPorts, Error> {
        let out = invoke(Call::IoCreate, [machine.raw(), first.into(), count])?;
        Ok(IoPorts::from_raw(out[1]))
    }

    /// Reads a port of 1, 2 or 4 bytes.
    pub fn read(&self, port: u16, size: u64) -> Result<u64, Error> {
        invoke(Call::IoRead, [self.raw(), port.into(), size]).map(|out| out[1])
    }

    /// Writes a port.
    pub fn write(&self, port: u16, size: u64, value: u64) -> Result<(), Error> {
        invoke(Call::IoWrite, [self.raw(), port.into(), size, value]).map(|_| ())
    }
}
