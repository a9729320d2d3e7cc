//! The PL011 (ARM DDI 0183) of QEMU's virt machine and of the Raspberry Pi, as the kernel set it up.

use crate::uart::Wanted;
use rt::Error;
use rt::abi::MAP_WRITE;
use rt::service::Window;
use rt::space::Mapping;

/// Data, flags, control, interrupt mask (3.3.1, 3.3.3, 3.3.8, 3.3.10).
const DATA: u64 = 0x00;
const FLAGS: u64 = 0x18;
const NOTHING_RECEIVED: u32 = 1 << 4;
const FULL: u32 = 1 << 5;
const CONTROL: u64 = 0x30;
const RECEIVE_ENABLE: u32 = 1 << 9;
const MASK: u64 = 0x38;
/// Bytes have arrived, or a few have and no more came.
const RECEIVED: u32 = 1 << 4 | 1 << 6;
/// There is room for more.
const SENT: u32 = 1 << 5;

/// The device.
pub struct Pl011(Mapping);

impl Pl011 {
    /// Takes over the one in a window.
    pub fn open(window: &Window) -> Result<Pl011, Error> {
        let device = Pl011(Mapping::new(window.memory, 0, 1, MAP_WRITE)?);
        device.set(CONTROL, device.get(CONTROL) | RECEIVE_ENABLE);
        Ok(device)
    }

    /// Says what it is to interrupt for.
    pub fn want(&self, wanted: Wanted) {
        let receive = if wanted.receive { RECEIVED } else { 0 };
        self.set(MASK, receive | if wanted.send { SENT } else { 0 });
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        (self.get(FLAGS) & NOTHING_RECEIVED == 0).then(|| self.get(DATA) as u8)
    }

    /// Whether there is room for a byte.
    pub fn can_write(&self) -> bool {
        self.get(FLAGS) & FULL == 0
    }

    /// Sends a byte.
    pub fn write(&self, byte: u8) {
        self.set(DATA, byte.into());
    }

    fn get(&self, register: u64) -> u32 {
        // SAFETY: the window is mapped, and its registers are these.
        unsafe { self.0.pointer::<u32>(register).read_volatile() }
    }

    fn set(&self, register: u64, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.pointer::<u32>(register).write_volatile(value) }
    }
}
