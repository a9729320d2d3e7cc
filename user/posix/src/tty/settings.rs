//! How a terminal is set: `struct termios`.

use linux_raw_sys::general::{
    B38400, CREAD, CS8, ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ICANON, ICRNL, IEXTEN, ISIG, IXON,
    ONLCR, OPOST, VMIN, VSTART, VSTOP, VTIME,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A character that is none.
const DISABLED: u8 = 0;
/// The unit of `VTIME`, in nanoseconds.
const TENTH: u64 = 100_000_000;

/// `struct termios2`; `struct termios` is the same without the speeds.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Settings {
    /// What becomes of bytes that arrive.
    pub input: u32,
    /// What becomes of bytes that are written.
    pub output: u32,
    /// How the line is set, which means nothing here.
    pub control: u32,
    /// The line discipline.
    pub local: u32,
    /// The number of the line discipline.
    pub line: u8,
    /// Characters with a meaning.
    pub chars: [u8; 19],
    /// Speeds, which mean nothing here.
    pub speeds: [u32; 2],
}

/// The characters that a terminal begins with, by their places in `c_cc`.
const CHARS: [u8; 19] =
    [3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0x0f, 0x17, 0x16, 0, 0, 0];

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            input: ICRNL | IXON,
            output: OPOST | ONLCR,
            control: B38400 | CS8 | CREAD,
            local: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
            line: 0,
            chars: CHARS,
            speeds: [38400; 2],
        }
    }
}

impl Settings {
    /// Whether lines are read as a whole.
    pub fn canonical(&self) -> bool {
        self.local & ICANON != 0
    }

    /// Whether the usual characters stop and start what is written.
    pub fn stops(&self) -> bool {
        let usual = (self.chars[VSTOP as usize], self.chars[VSTART as usize]);
        self.input & IXON != 0 && usual == (0x13, 0x11)
    }

    /// Whether a flag of the line discipline is set.
    pub fn has(&self, flag: u32) -> bool {
        self.local & flag != 0
    }

    /// Whether a byte is the character at this place.
    pub fn is(&self, byte: u8, place: u32) -> bool {
        byte != DISABLED && self.chars[place as usize] == byte
    }

    /// Whether a byte is the character at this place, which is one of the extensions.
    pub fn is_extended(&self, byte: u8, place: u32) -> bool {
        self.has(IEXTEN) && self.is(byte, place)
    }

    /// Bytes that a read waits for without lines, if it has room for so many.
    pub fn least(&self) -> u64 {
        self.chars[VMIN as usize].into()
    }

    /// Nanoseconds that a read without lines waits for the first, or another byte.
    pub fn patience(&self) -> u64 {
        u64::from(self.chars[VTIME as usize]) * TENTH
    }
}
