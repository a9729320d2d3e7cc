//! The kinds of objects, and what a handle to each may allow.

use bitflags::bitflags;

/// The kinds of objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Kind {
    /// An address space, handles, a quota.
    Process = 1,
    /// Something that runs in a process.
    Thread = 2,
    /// Where messages arrive.
    Port = 3,
    /// The duty to answer one call.
    Reply = 4,
    /// Pages.
    Memory = 5,
    /// A line of the interrupt controller.
    Interrupt = 6,
    /// A deadline that signals a port.
    Timer = 7,
    /// The machine itself: its log, its figures, its devices, its power switch.
    Machine = 8,
    /// A range of I/O ports (x86-64).
    IoPorts = 9,
}

/// Declares the rights of each kind. Bits 6 and 7 mean the same for all.
macro_rules! rights {
    ($($(#[$($about:tt)*])* $name:ident { $($(#[$($meaning:tt)*])* $right:ident = $bit:literal;)* })+) => {
        bitflags! {
            $($(#[$($about)*])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub struct $name: u8 {
                $($(#[$($meaning)*])* const $right = 1 << $bit;)*
                /// It may travel in messages.
                const TRANSFER = 1 << 6;
                /// Another handle to the same object may be made from it.
                const DUPLICATE = 1 << 7;
            })+
        }
    };
}

rights! {
    /// What a handle to a process allows.
    ProcessRights {
        /// Changing what is mapped.
        MAP = 0;
        /// Reading its memory.
        READ = 1;
        /// Writing its memory.
        WRITE = 2;
        /// Making threads in it, giving it handles, naming its handler, watching, ending it.
        MANAGE = 3;
    }
    /// What a handle to a thread allows.
    ThreadRights {
        /// Suspending, resuming, cancelling and ending it.
        CONTROL = 0;
        /// Reading and replacing its registers.
        REGISTERS = 1;
        /// Changing priority, slice and affinity.
        SCHEDULE = 2;
    }
    /// What a handle to a port allows.
    PortRights {
        /// Sending and calling.
        SEND = 0;
        /// Receiving, and choosing the badges of other handles.
        RECEIVE = 1;
        /// Setting signals.
        SIGNAL = 2;
    }
    /// What a handle to a call that waits for its answer allows: answering it.
    ReplyRights {}
    /// What a handle to memory allows.
    MemoryRights {
        /// Reading, and mapping for it.
        READ = 0;
        /// Writing, and mapping for it.
        WRITE = 1;
        /// Mapping for execution.
        EXECUTE = 2;
        /// Changing its size.
        RESIZE = 3;
    }
    /// What a handle to an interrupt allows.
    InterruptRights {
        /// Letting the next one through.
        ACK = 0;
    }
    /// What a handle to a timer allows.
    TimerRights {
        /// Setting it.
        SET = 0;
    }
    /// What a handle to the machine allows.
    MachineRights {
        /// Writing to the log.
        LOG = 0;
        /// Reading the log, figures of the whole machine, and page tables.
        INSPECT = 1;
        /// Switching it off.
        POWER = 2;
        /// Making windows, contiguous memory, interrupts and port ranges.
        DEVICES = 3;
    }
    /// What a handle to I/O ports allows.
    IoRights {
        /// Reading them.
        READ = 0;
        /// Writing them.
        WRITE = 1;
    }
}
