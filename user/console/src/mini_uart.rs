//! The auxiliary UART of a Raspberry Pi (BCM2835 ARM Peripherals, 2.2), as firmware set it up. It is looked at
//! now and then: which bit lets it interrupt for what is not the same in its manual, the device and QEMU.

use rt::Error;
use rt::abi::{MAP_WRITE, PAGE};
use rt::service::Window;
use rt::space::Mapping;

/// Data, line status, control (2.2.2).
const DATA: u64 = 0x00;
const STATUS: u64 = 0x14;
const ARRIVED: u32 = 1;
const ROOM: u32 = 1 << 5;
const CONTROL: u64 = 0x20;
const RECEIVE_ENABLE: u32 = 1;

/// The device: its page, and where in that it begins.
pub struct MiniUart(Mapping, u64);

impl MiniUart {
    /// Takes over the one in a window.
    pub fn open(window: &Window) -> Result<MiniUart, Error> {
        let mapping = Mapping::new(window.memory, 0, 1, MAP_WRITE)?;
        let device = MiniUart(mapping, window.physical % PAGE);
        device.set(CONTROL, device.get(CONTROL) | RECEIVE_ENABLE);
        Ok(device)
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        (self.get(STATUS) & ARRIVED != 0).then(|| self.get(DATA) as u8)
    }

    /// Whether there is room for a byte.
    pub fn can_write(&self) -> bool {
        self.get(STATUS) & ROOM != 0
    }

    /// Sends a byte.
    pub fn write(&self, byte: u8) {
        self.set(DATA, byte.into());
    }

    fn get(&self, register: u64) -> u32 {
        // SAFETY: the window is mapped, and its registers are these.
        unsafe { self.0.pointer::<u32>(self.1 + register).read_volatile() }
    }

    fn set(&self, register: u64, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.pointer::<u32>(self.1 + register).write_volatile(value) }
    }
}
