//! The receiving half of the serial port that the kernel writes its log to: only this program reads
//! from it.

use rt::Error;
use rt::task::Tasks;
use rt::{Interrupt, Port};

#[cfg(target_arch = "x86_64")]
pub use ns16550::Device;
#[cfg(target_arch = "aarch64")]
pub use pl011::Device;

/// A serial port.
pub struct Uart {
    device: Device,
    interrupt: Option<Interrupt>,
}

impl Uart {
    /// Finds it, and has it signal what arrives, where its interrupt can be had.
    pub fn open(port: &Port, bits: u64) -> Result<Uart, Error> {
        let (device, line) = Device::find()?;
        let interrupt =
            line.and_then(|line| Interrupt::create(&rt::machine(), line, port, bits).ok());
        if interrupt.is_some() {
            device.enable_interrupt();
        }
        Ok(Uart { device, interrupt })
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        self.device.read()
    }

    /// Waits for more: for the interrupt, or until it is time to look again.
    pub async fn wait(&self, tasks: &Tasks, bits: u64, next_look: u64) {
        let Some(interrupt) = &self.interrupt else {
            return tasks.sleep_until(next_look).await;
        };
        if tasks.signals_until(bits, next_look).await != 0 {
            // The line is let through again only when what it asked for is done.
            let _ = interrupt.ack();
        }
    }
}

/// The PL011 of QEMU's virt machine and of the Raspberry Pi.
#[cfg(target_arch = "aarch64")]
mod pl011 {
    use rt::abi::{MAP_WRITE, WINDOW_DEVICE};
    use rt::space::Mapping;
    use rt::{Error, Memory};

    /// Where each machine has it, and its line. Where one machine has its registers the other has
    /// memory, which nobody gets a window to: so only the right one can be opened.
    const PLACES: [(u64, Option<u64>); 2] = [(0x0900_0000, Some(33)), (0x3f20_1000, None)];

    /// Data, flags, interrupt mask (PL011 TRM 3.3.1, 3.3.3, 3.3.10).
    const DATA: u64 = 0x00;
    const FLAGS: u64 = 0x18;
    const MASK: u64 = 0x38;
    const NOTHING_RECEIVED: u32 = 1 << 4;
    /// Receive, and receive timeout.
    const RECEIVING: u32 = 1 << 4 | 1 << 6;

    pub struct Device(Mapping);

    impl Device {
        pub fn find() -> Result<(Device, Option<u64>), Error> {
            for (at, line) in PLACES {
                if let Ok(window) = Memory::window(&rt::machine(), at, 1, WINDOW_DEVICE) {
                    return Ok((Device(Mapping::new(&window, 0, 1, MAP_WRITE)?), line));
                }
            }
            Err(Error::NotFound)
        }

        pub fn enable_interrupt(&self) {
            // SAFETY: the window is mapped, and its registers are these.
            unsafe { self.0.pointer::<u32>(MASK).write_volatile(RECEIVING) };
        }

        pub fn read(&self) -> Option<u8> {
            // SAFETY: as above.
            let flags = unsafe { self.0.pointer::<u32>(FLAGS).read_volatile() };
            if flags & NOTHING_RECEIVED != 0 {
                return None;
            }
            // SAFETY: as above.
            Some(unsafe { self.0.pointer::<u32>(DATA).read_volatile() } as u8)
        }
    }
}

/// The 16550 at a PC's first serial port.
#[cfg(target_arch = "x86_64")]
mod ns16550 {
    use rt::{Error, IoPorts};

    const BASE: u16 = 0x3f8;
    const LINE: u64 = 4;
    const INTERRUPTS: u16 = BASE + 1;
    const STATUS: u16 = BASE + 5;
    const RECEIVED: u64 = 1;

    pub struct Device(IoPorts);

    impl Device {
        pub fn find() -> Result<(Device, Option<u64>), Error> {
            Ok((Device(IoPorts::create(&rt::machine(), BASE, 8)?), Some(LINE)))
        }

        pub fn enable_interrupt(&self) {
            // Without it the port is looked at now and then.
            let _ = self.0.write(INTERRUPTS, 1, RECEIVED);
        }

        pub fn read(&self) -> Option<u8> {
            let status = self.0.read(STATUS, 1).ok()?;
            (status & RECEIVED != 0)
                .then(|| self.0.read(BASE, 1).ok())
                .flatten()
                .map(|byte| byte as u8)
        }
    }
}
