//! Lines for the log, which the machine's handle writes and reads. A program without that is silent.

use crate::sync::Lock;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// Bytes of the longest line that the kernel takes.
const LONGEST: usize = 240;

/// What was printed of a line that has not ended yet.
static UNFINISHED: Lock<Line> = Lock::new(Line::new());

/// Prints without ending the line.
#[macro_export]
macro_rules! print {
    ($($part:tt)*) => { $crate::log::print(format_args!($($part)*)) };
}

/// Prints a line.
#[macro_export]
macro_rules! println {
    ($($part:tt)*) => { $crate::log::print_line(format_args!($($part)*)) };
}

/// All that the kernel keeps of the log, whole lines; nothing if it does not answer.
pub fn kept() -> Vec<u8> {
    let (mut text, mut piece, mut next, mut cut) = (Vec::new(), [0; LONGEST], 0, false);
    while let Ok((count @ 1.., from)) = crate::machine().read_log(next, &mut piece) {
        if from != next {
            text.clear();
            cut = true;
        }
        text.extend_from_slice(&piece[..count]);
        next = from + count as u64;
    }
    let first =
        if cut { text.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1) } else { 0 };
    text.split_off(first)
}

/// Prints without ending the line.
pub fn print(text: fmt::Arguments<'_>) {
    // A line never refuses text.
    let _ = UNFINISHED.lock().write_fmt(text);
}

/// Prints a line.
pub fn print_line(text: fmt::Arguments<'_>) {
    let mut line = UNFINISHED.lock();
    let _ = line.write_fmt(text);
    line.finish();
}

/// A line as it grows. It goes to the log when it ends, or is as long as lines may be.
#[derive(Clone)]
pub struct Line {
    text: [u8; LONGEST],
    length: usize,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Line {
        Line { text: [0; LONGEST], length: 0 }
    }

    /// What there is of it.
    pub fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// Ends it and begins another.
    pub fn finish(&mut self) {
        // Without the right to write there is nobody to tell.
        let _ = crate::machine().log(self.text());
        self.length = 0;
    }
}

impl Default for Line {
    fn default() -> Line {
        Line::new()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if character == '\n' || self.length + character.len_utf8() > LONGEST {
                self.finish();
            }
            if character != '\n' {
                self.length += character.encode_utf8(&mut self.text[self.length..]).len();
            }
        }
        Ok(())
    }
}
