//! Over MMIO (4.2.2), and as it was before (4.2.4).

use super::{Place, Transport};
use rt::Error;
use rt::abi::PAGE;
use rt::registers::Registers;
use rt::service::Window;

const MAGIC: u64 = 0x000;
const VIRT: u32 = 0x7472_6976;
const VERSION: u64 = 0x004;
const DEVICE_FEATURES: u64 = 0x010;
const DEVICE_FEATURES_SELECT: u64 = 0x014;
const DRIVER_FEATURES: u64 = 0x020;
const DRIVER_FEATURES_SELECT: u64 = 0x024;
const QUEUE_SELECT: u64 = 0x030;
const QUEUE_MOST: u64 = 0x034;
const QUEUE_LENGTH: u64 = 0x038;
const QUEUE_READY: u64 = 0x044;
const QUEUE_NOTIFY: u64 = 0x050;
const INTERRUPT_STATUS: u64 = 0x060;
const INTERRUPT_ACK: u64 = 0x064;
const STATUS: u64 = 0x070;
/// The two halves of each address.
const DESCRIPTORS: u64 = 0x080;
const AVAILABLE: u64 = 0x090;
const USED: u64 = 0x0a0;
const CONFIG: u64 = 0x100;

/// Before version 1.0: the length of a page, how the used ring is aligned, the page of the queue.
const LEGACY_PAGE: u64 = 0x028;
const LEGACY_ALIGN: u64 = 0x03c;
const LEGACY_QUEUE: u64 = 0x040;

pub struct Mmio {
    registers: Registers,
    legacy: bool,
}

impl Mmio {
    pub fn open(window: Window) -> Result<Mmio, Error> {
        let registers = Registers::new(window)?;
        if !registers.has::<u32>(CONFIG + 4) {
            return Err(Error::Invalid);
        }
        let legacy = registers.get::<u32>(VERSION) == 1;
        Ok(Mmio { registers, legacy })
    }

    fn get(&self, at: u64) -> u32 {
        self.registers.get(at)
    }

    fn set(&self, at: u64, value: u32) {
        self.registers.set(at, value);
    }
}

impl Transport for Mmio {
    fn is_there(&self) -> bool {
        self.get(MAGIC) == VIRT
    }

    fn is_legacy(&self) -> bool {
        self.legacy
    }

    fn status(&self) -> u8 {
        self.get(STATUS) as u8
    }

    fn set_status(&self, status: u8) {
        self.set(STATUS, status.into());
    }

    fn features(&self) -> u64 {
        let half = |nth| {
            self.set(DEVICE_FEATURES_SELECT, nth);
            u64::from(self.get(DEVICE_FEATURES))
        };
        half(0) | half(1) << 32
    }

    fn accept(&self, features: u64) {
        for (nth, half) in [(0, features as u32), (1, (features >> 32) as u32)] {
            self.set(DRIVER_FEATURES_SELECT, nth);
            self.set(DRIVER_FEATURES, half);
        }
    }

    fn set_queue(&self, place: &Place) -> bool {
        if self.legacy {
            self.set(LEGACY_PAGE, PAGE as u32);
        }
        self.set(QUEUE_SELECT, 0);
        if self.get(QUEUE_MOST) < place.length.into() {
            return false;
        }
        self.set(QUEUE_LENGTH, place.length.into());
        if self.legacy {
            self.set(LEGACY_ALIGN, PAGE as u32);
            self.set(LEGACY_QUEUE, (place.descriptors / PAGE) as u32);
            return true;
        }
        let places =
            [(DESCRIPTORS, place.descriptors), (AVAILABLE, place.available), (USED, place.used)];
        for (at, address) in places {
            self.set(at, address as u32);
            self.set(at + 4, (address >> 32) as u32);
        }
        self.set(QUEUE_READY, 1);
        true
    }

    fn notify(&self) {
        self.set(QUEUE_NOTIFY, 0);
    }

    fn quiet(&self) {
        self.set(INTERRUPT_ACK, self.get(INTERRUPT_STATUS));
    }

    fn config(&self, at: u64) -> u32 {
        self.get(CONFIG + at)
    }
}
