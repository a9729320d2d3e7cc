//! What becomes of bytes on their way out: line ends, tabs, and where the cursor is.
//!
//! What a program writes is taken only as far as there is room. Echoes have nobody who could wait, so
//! those that there is no room for are kept, up to a bound.

use super::settings::Settings;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use linux_raw_sys::general::{IUTF8, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, TABDLY, XTABS};

/// Bytes that at most become of one.
pub const GROWTH: usize = 8;
/// Bytes of echoes that are kept.
const ECHOES: usize = 4096;

/// The way out.
#[derive(Default)]
pub struct Output {
    /// The column of the cursor.
    pub column: usize,
    /// Nothing goes out until somebody says so.
    pub stopped: bool,
    echoes: VecDeque<u8>,
}

/// Whether a byte is another than the first of a character in UTF-8.
pub fn continues(settings: &Settings, byte: u8) -> bool {
    settings.input & IUTF8 != 0 && byte & 0xc0 == 0x80
}

impl Output {
    /// What becomes of a byte.
    pub fn process(&mut self, settings: &Settings, byte: u8, to: &mut Vec<u8>) {
        let has = |flag| settings.output & flag != 0;
        if !has(OPOST) {
            return to.push(byte);
        }
        match byte {
            b'\n' => {
                if has(ONLCR) {
                    to.push(b'\r');
                }
                if has(ONLCR | ONLRET) {
                    self.column = 0;
                }
            }
            b'\r' if has(ONOCR) && self.column == 0 => return,
            b'\r' if has(OCRNL) => {
                if has(ONLRET) {
                    self.column = 0;
                }
                return to.push(b'\n');
            }
            b'\r' => self.column = 0,
            b'\t' => {
                let spaces = 8 - self.column % 8;
                self.column += spaces;
                if settings.output & TABDLY == XTABS {
                    return to.extend_from_slice(&[b' '; 8][..spaces]);
                }
            }
            0x08 => self.column = self.column.saturating_sub(1),
            0..0x20 | 0x7f => {}
            _ if continues(settings, byte) => {}
            _ => self.column += 1,
        }
        to.push(if has(OLCUC) { byte.to_ascii_uppercase() } else { byte });
    }

    /// Keeps bytes to be echoed, until [`take_echoes`](Output::take_echoes).
    pub fn echo(&mut self, settings: &Settings, bytes: &[u8]) {
        let mut processed = Vec::new();
        for &byte in bytes {
            self.process(settings, byte, &mut processed);
        }
        if self.echoes.len() + processed.len() <= ECHOES {
            self.echoes.extend(processed);
        }
    }

    /// Takes what there is room for of the bytes to be echoed.
    pub fn take_echoes(&mut self, room: usize) -> Vec<u8> {
        let count = if self.stopped { 0 } else { room.min(self.echoes.len()) };
        self.echoes.drain(..count).collect()
    }

    /// Forgets what has not gone out.
    pub fn flush(&mut self) {
        self.echoes.clear();
    }
}
