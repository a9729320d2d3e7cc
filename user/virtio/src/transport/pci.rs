//! Over PCI (4.1.4). Where the registers are was found out by whoever looked for devices.

use super::{Place, Transport};
use rt::Error;
use rt::registers::Registers;
use rt::service::Grants;

const DEVICE_FEATURES_SELECT: u64 = 0x00;
const DEVICE_FEATURES: u64 = 0x04;
const DRIVER_FEATURES_SELECT: u64 = 0x08;
const DRIVER_FEATURES: u64 = 0x0c;
const QUEUES: u64 = 0x12;
const STATUS: u64 = 0x14;
const QUEUE_SELECT: u64 = 0x16;
const QUEUE_LENGTH: u64 = 0x18;
const QUEUE_ENABLE: u64 = 0x1c;
const QUEUE_NOTIFY: u64 = 0x1e;
/// The two halves of each address.
const DESCRIPTORS: u64 = 0x20;
const AVAILABLE: u64 = 0x28;
const USED: u64 = 0x30;

/// How many queues there are where there is no device: nobody answers with all ones, or with nothing.
const NOTHING: [u16; 2] = [!0, 0];

pub struct Pci {
    common: Registers,
    notify: Registers,
    isr: Registers,
    own: Registers,
    /// Where in `notify` the first queue's register is.
    bell: u64,
}

impl Pci {
    pub fn open(grants: &Grants) -> Result<Pci, Error> {
        let mut windows = grants.windows().map(Registers::new);
        let mut next = || windows.next().unwrap_or(Err(Error::NotFound));
        let (common, notify, isr, own) = (next()?, next()?, next()?, next()?);
        if !common.has::<u32>(USED + 4) || !isr.has::<u8>(0) {
            return Err(Error::Invalid);
        }
        common.set::<u16>(QUEUE_SELECT, 0);
        let nth = u64::from(common.get::<u16>(QUEUE_NOTIFY));
        let bell = nth * grants.word("notify-step");
        // One that is not there says that it is anywhere.
        let bell = if notify.has::<u16>(bell) { bell } else { 0 };
        Ok(Pci { common, notify, isr, own, bell })
    }
}

impl Transport for Pci {
    fn is_there(&self) -> bool {
        !NOTHING.contains(&self.common.get(QUEUES))
    }

    fn status(&self) -> u8 {
        self.common.get(STATUS)
    }

    fn set_status(&self, status: u8) {
        self.common.set(STATUS, status);
    }

    fn features(&self) -> u64 {
        let half = |nth: u32| {
            self.common.set(DEVICE_FEATURES_SELECT, nth);
            u64::from(self.common.get::<u32>(DEVICE_FEATURES))
        };
        half(0) | half(1) << 32
    }

    fn accept(&self, features: u64) {
        for (nth, half) in [(0u32, features as u32), (1, (features >> 32) as u32)] {
            self.common.set(DRIVER_FEATURES_SELECT, nth);
            self.common.set(DRIVER_FEATURES, half);
        }
    }

    fn set_queue(&self, place: &Place) -> bool {
        self.common.set::<u16>(QUEUE_SELECT, 0);
        if self.common.get::<u16>(QUEUE_LENGTH) < place.length {
            return false;
        }
        self.common.set(QUEUE_LENGTH, place.length);
        let places =
            [(DESCRIPTORS, place.descriptors), (AVAILABLE, place.available), (USED, place.used)];
        for (at, address) in places {
            self.common.set(at, address as u32);
            self.common.set(at + 4, (address >> 32) as u32);
        }
        self.common.set::<u16>(QUEUE_ENABLE, 1);
        true
    }

    fn notify(&self) {
        self.notify.set::<u16>(self.bell, 0);
    }

    fn quiet(&self) {
        // Reading it is what does it.
        self.isr.get::<u8>(0);
    }

    fn config(&self, at: u64) -> u32 {
        if self.own.has::<u32>(at) { self.own.get(at) } else { 0 }
    }
}
