//! What a message looks like, and what one arrives as.

/// Words of a message.
pub const MESSAGE_WORDS: usize = 6;
/// Handles it may carry.
pub const MESSAGE_HANDLES: usize = 4;
/// Windows of memory a call may lend.
pub const MESSAGE_LEASES: usize = 2;

/// The head of a message: a label, and what some of its words are.
///
/// The last words of a message are its handles, before them come two words for each lease (see
/// [`Lease`]), and the rest is data: `[data ..., lease words ..., handles ...]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct Info(pub u64);

const HANDLES: u32 = 32;
const LEASES: u32 = 36;
const COPY: u64 = 1 << 40;

impl Info {
    /// A message of data only.
    pub const fn new(label: u32) -> Info {
        Info(label as u64)
    }

    /// With its last `count` words being handles, which leave the sender.
    pub const fn with_handles(self, count: usize) -> Info {
        Info(self.0 | (count as u64) << HANDLES)
    }

    /// With so many leases before the handles.
    pub const fn with_leases(self, count: usize) -> Info {
        Info(self.0 | (count as u64) << LEASES)
    }

    /// The sender keeps its handles, the receiver gets others to the same objects.
    pub const fn copied(self) -> Info {
        Info(self.0 | COPY)
    }

    /// What the message is about, as the two sides agree.
    pub const fn label(self) -> u32 {
        self.0 as u32
    }

    /// How many handles.
    pub const fn handles(self) -> usize {
        (self.0 >> HANDLES & 0xf) as usize
    }

    /// How many leases.
    pub const fn leases(self) -> usize {
        (self.0 >> LEASES & 0xf) as usize
    }

    /// Whether the sender keeps its handles.
    pub const fn copies(self) -> bool {
        self.0 & COPY != 0
    }

    /// Whether it can be sent: known bits, and no more than fits.
    pub const fn is_valid(self) -> bool {
        let (handles, leases) = (self.handles(), self.leases());
        self.0 >> 41 == 0
            && handles <= MESSAGE_HANDLES
            && leases <= MESSAGE_LEASES
            && handles + 2 * leases <= MESSAGE_WORDS
    }
}

/// A window of the caller's memory, lent for as long as the call lasts: in a message the address, and
/// the length with the two top bits saying what the server may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Where it begins in the caller's memory.
    pub address: u64,
    /// Its length, and the permissions.
    pub length: u64,
}

impl Lease {
    /// The server may read it.
    pub const READ: u64 = 1 << 62;
    /// The server may write it.
    pub const WRITE: u64 = 1 << 63;

    /// Bytes lent.
    pub const fn bytes(self) -> u64 {
        self.length & !(Lease::READ | Lease::WRITE)
    }
}

/// What `RECEIVE` returned with: its status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Arrival {
    /// A message that was sent.
    Message = 1,
    /// A call, to be answered.
    Call = 2,
    /// Bits of signals, in the first word; they are cleared by this.
    Signals = 3,
    /// A foreign call to be answered: the number is the label, its arguments are the words.
    Foreign = 4,
    /// A fault to be answered: the label is a [`FaultKind`], the words are the address, the kind of
    /// access (0 read, 1 write, 2 execute), the program counter, the stack pointer, and the
    /// machine's own code for it.
    Fault = 5,
}

/// What stopped a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum FaultKind {
    /// Nothing is mapped there.
    Unmapped = 1,
    /// The mapping forbids it.
    Permission = 2,
    /// The address does not suit the access.
    Alignment = 3,
    /// The bus or the tables refused.
    Bus = 4,
    /// The instruction is undefined, or not for user code.
    Instruction = 5,
    /// Division by zero, or a floating point exception.
    Arithmetic = 6,
    /// A breakpoint instruction.
    Breakpoint = 7,
    /// One step was made.
    Step = 8,
    /// Anything else.
    Other = 9,
    /// The page is mapped, but what backs it could not be had: the quota is used up.
    NoMemory = 10,
}
