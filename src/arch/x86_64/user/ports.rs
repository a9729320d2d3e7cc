//! I/O ports, which user code reaches by calls only: of 1, 2 or 4 bytes.

use ::x86_64::instructions::port::Port;

/// Reads a port.
pub fn io_read(port: u16, size: u64) -> Option<u64> {
    // SAFETY: whoever asks has a handle to the port. What a device does to memory is the risk of
    // whoever gave it that.
    unsafe {
        match size {
            1 => Some(Port::<u8>::new(port).read().into()),
            2 => Some(Port::<u16>::new(port).read().into()),
            4 => Some(Port::<u32>::new(port).read().into()),
            _ => None,
        }
    }
}

/// Writes a port.
pub fn io_write(port: u16, size: u64, value: u64) -> Option<()> {
    // SAFETY: as in `io_read`.
    unsafe {
        match size {
            1 => Port::new(port).write(value as u8),
            2 => Port::new(port).write(value as u16),
            4 => Port::new(port).write(value as u32),
            _ => return None,
        }
    }
    Some(())
}
