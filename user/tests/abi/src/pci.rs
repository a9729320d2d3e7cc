//! The interrupts of a PCI device, where the machine has QEMU's `edu`: its line works by levels, so that
//! what is not dealt with asks again.

use crate::Test;
use crate::check::{call_until, fails, holds, same, works};
use crate::support::World;
use rt::abi::{Call, Error, MAP_WRITE, WINDOW_DEVICE};
use rt::space::Mapping;
use rt::time::{MILLISECOND, now};
use rt::{Interrupt, IoPorts, Memory, Object, Port};

pub const TESTS: &[Test] = &[("pci-interrupt", interrupts)];

/// Vendor and device of `edu`, and of the host bridge of a `q35`.
const EDU: u64 = 0x11e8_1234;
const Q35: u64 = 0x29c0_8086;
/// Registers of `edu`: what it asks for, and what sets and clears bits of that.
const STATUS: usize = 0x24;
const RAISE: usize = 0x60;
const CLEAR: usize = 0x64;

fn interrupts(_: &World) {
    let ports = IoPorts::create(&rt::machine(), 0xcf8, 8).expect("the configuration's ports");
    let config = |slot: u64, register: u64| {
        ports.write(0xcf8, 4, 1 << 31 | slot << 11 | register).expect("an address");
        ports.read(0xcfc, 4).expect("a register")
    };
    let Some(slot) = (0..32).find(|&slot| config(slot, 0) == EDU) else { return };
    let machine = rt::machine();
    let physical = config(slot, 0x10) & !0xf;
    let window = Memory::window(&machine, physical, 1, WINDOW_DEVICE).expect("its registers");
    let device = Device(Mapping::new(&window, 0, 1, MAP_WRITE).expect("room"));
    serve(&device, config(slot, 0x3c) & 0xff);
    if config(0, 0) == Q35 {
        serve(&device, 20 + slot % 4);
    }
}

/// The device asks at this line, is heard, and is quiet when it is dealt with.
fn serve(device: &Device, line: u64) {
    rt::println!("  edu asks at line {line}");
    let port = Port::create(0).expect("a port");
    let interrupt = Interrupt::create(&rt::machine(), line, &port, 1).expect("its line");
    let heard = |until| call_until(Call::Receive, &[port.raw()], until);
    for round in 1..4 {
        device.write(RAISE, round);
        same(works(heard(now() + 1000 * MILLISECOND))[2], 1);
        same(device.read(STATUS), round);
        // It is kept out until it is acknowledged, and asks again as long as there is a reason.
        fails(heard(now() + MILLISECOND), Error::TimedOut);
        same(interrupt.ack(), Ok(()));
        same(works(heard(now() + 1000 * MILLISECOND))[2], 1);
        device.write(CLEAR, round);
        same(interrupt.ack(), Ok(()));
        fails(heard(now() + MILLISECOND), Error::TimedOut);
    }
    holds(device.read(STATUS) == 0);
}

struct Device(Mapping);

impl Device {
    fn at(&self, register: usize) -> *mut u32 {
        (self.0.address() as *mut u32).wrapping_byte_add(register)
    }

    fn read(&self, register: usize) -> u32 {
        // SAFETY: one of the device's registers, which are mapped.
        unsafe { self.at(register).read_volatile() }
    }

    fn write(&self, register: usize, value: u32) {
        // SAFETY: as in `read`.
        unsafe { self.at(register).write_volatile(value) }
    }
}
