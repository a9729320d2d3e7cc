//! The PL031 (ARM DDI 0224) of QEMU's virt machine. A Raspberry Pi has no clock of the kind, and memory
//! in this place.

use rt::Memory;
use rt::abi::WINDOW_DEVICE;
use rt::space::Mapping;

/// Where it is.
const PLACE: u64 = 0x0901_0000;
/// Seconds since 1970 (3.3.1).
const DATA: u64 = 0x000;
/// Its number, in two registers of a byte each (3.3.9).
const PART: [(u64, u32); 2] = [(0xfe0, 0x31), (0xfe4, 0x10)];

/// Seconds since 1970.
pub fn seconds() -> Option<u64> {
    let window = Memory::window(&rt::machine(), PLACE, 1, WINDOW_DEVICE).ok()?;
    let registers = Mapping::new(&window, 0, 1, 0).ok()?;
    // SAFETY: the window is mapped, and reading its registers changes nothing.
    let get = |register| unsafe { registers.pointer::<u32>(register).read_volatile() };
    let is_it = PART.iter().all(|&(register, value)| get(register) & 0xff == value);
    is_it.then(|| get(DATA).into())
}
