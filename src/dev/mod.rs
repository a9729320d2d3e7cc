//! The serial ports through which the kernel itself speaks: transmit only, polled, never for ever.
//! A console driver with interrupts and input is a process of its own.
