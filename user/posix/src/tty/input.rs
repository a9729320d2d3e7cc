//! The line discipline: what becomes of bytes that arrive, until they are read.
//!
//! With lines the end of the queue is the line that is being edited, which cannot be read yet; it
//! begins after the items that are committed. The last item of each line is marked.

use super::output::{Output, continues};
use super::settings::Settings;
use crate::errno::{Errno, Result};
use crate::user::Transfer;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use linux_raw_sys::general::{
    ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ICANON, ICRNL, IGNCR, IMAXBEL, INLCR, ISIG,
    ISTRIP, IXANY, IXON, SIGINT, SIGQUIT, SIGTSTP, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT,
    VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VWERASE,
};

/// Items that are kept.
pub const CAPACITY: usize = 4096;
/// The byte is the last of its line.
const LAST: u16 = 1 << 8;
/// There is no byte: it ends what is read, and is not itself read.
const NOTHING: u16 = 1 << 9;

/// Bytes that have arrived.
#[derive(Default)]
pub struct Input {
    queue: VecDeque<u16>,
    /// Items before the line that is being edited.
    committed: usize,
    /// Marks among them.
    lines: usize,
    /// The next byte means nothing but itself.
    literal: bool,
    /// The column where the line began that is being edited.
    column: usize,
}

/// What a byte has asked for, beside being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    None,
    /// A signal for whoever is in the foreground, and the byte to echo for it.
    Signal(u32, u8),
}

impl Input {
    /// Bytes that there is room for. While no line is complete there always is: what is too much for a
    /// line is dropped, or it could never end.
    pub fn room(&self, settings: &Settings) -> usize {
        if settings.canonical() && self.lines == 0 {
            return CAPACITY;
        }
        (CAPACITY - 1).saturating_sub(self.queue.len())
    }

    /// Whether something can be read.
    pub fn readable(&self, settings: &Settings) -> bool {
        if settings.canonical() {
            return self.lines > 0;
        }
        let least = if settings.patience() == 0 { settings.least().max(1) } else { 1 };
        self.queue.len() as u64 >= least
    }

    /// Bytes that can be read.
    pub fn length(&self, settings: &Settings) -> usize {
        let items = if settings.canonical() { self.committed } else { self.queue.len() };
        self.queue.iter().take(items).filter(|&&item| item & NOTHING == 0).count()
    }

    /// Forgets everything.
    pub fn flush(&mut self) {
        *self = Input::default();
    }

    /// The settings were changed. Whatever there is can be read at once.
    pub fn changed(&mut self, before: &Settings, after: &Settings) {
        if (before.local ^ after.local) & ICANON == 0 {
            return;
        }
        self.queue.retain(|item| item & NOTHING == 0);
        self.queue.iter_mut().for_each(|item| *item &= !LAST);
        self.committed = self.queue.len();
        self.lines = 0;
        self.literal = false;
        if let (Some(last), true) = (self.queue.back_mut(), after.canonical()) {
            *last |= LAST;
            self.lines = 1;
        }
    }

    /// A byte has arrived.
    pub fn receive(&mut self, settings: &Settings, output: &mut Output, mut byte: u8) -> Effect {
        if settings.input & ISTRIP != 0 {
            byte &= 0x7f;
        }
        if core::mem::take(&mut self.literal) {
            self.keep(settings, output, byte);
            return Effect::None;
        }
        if settings.input & IXON != 0 {
            if settings.is(byte, VSTOP) && !(output.stopped && settings.is(byte, VSTART)) {
                output.stopped = true;
                return Effect::None;
            }
            if settings.is(byte, VSTART) {
                output.stopped = false;
                return Effect::None;
            }
        }
        if settings.has(ISIG) {
            for (place, signal) in [(VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)] {
                if settings.is(byte, place) {
                    return Effect::Signal(signal, byte);
                }
            }
        }
        if settings.input & (IXON | IXANY) == IXON | IXANY {
            output.stopped = false;
        }
        match byte {
            b'\r' if settings.input & IGNCR != 0 => return Effect::None,
            b'\r' if settings.input & ICRNL != 0 => byte = b'\n',
            b'\n' if settings.input & INLCR != 0 => byte = b'\r',
            _ => {}
        }
        if !(settings.canonical() && self.edit(settings, output, byte)) {
            self.keep(settings, output, byte);
        }
        Effect::None
    }

    /// What a byte does to the line that is being edited, if it is one of those.
    fn edit(&mut self, settings: &Settings, output: &mut Output, byte: u8) -> bool {
        let erases = settings.is(byte, VERASE) || settings.is(byte, VKILL);
        if erases || settings.is_extended(byte, VWERASE) {
            self.erase(settings, output, byte);
        } else if settings.is_extended(byte, VLNEXT) {
            self.literal = true;
            if settings.has(ECHO) && settings.has(ECHOCTL) {
                output.echo(settings, b"^\x08");
            }
        } else if settings.is_extended(byte, VREPRINT) && settings.has(ECHO) {
            self.reprint(settings, output, byte);
        } else if byte == b'\n' {
            if settings.has(ECHO | ECHONL) {
                output.echo(settings, b"\n");
            }
            self.end_line(u16::from(byte));
        } else if settings.is(byte, VEOF) {
            self.end_line(NOTHING);
        } else if settings.is(byte, VEOL) || settings.is_extended(byte, VEOL2) {
            if settings.has(ECHO) {
                echo(settings, output, byte);
            }
            self.end_line(u16::from(byte));
        } else {
            return false;
        }
        true
    }

    /// Keeps a byte, and echoes it.
    fn keep(&mut self, settings: &Settings, output: &mut Output, byte: u8) {
        // There is room for the end of a line.
        if self.queue.len() >= CAPACITY - 1 {
            if settings.input & IMAXBEL != 0 {
                output.echo(settings, b"\x07");
            }
            return;
        }
        if self.queue.len() == self.committed {
            self.column = output.column;
        }
        if settings.has(ECHO) {
            echo(settings, output, byte);
        }
        self.queue.push_back(byte.into());
        if !settings.canonical() {
            self.committed = self.queue.len();
        }
    }

    /// The line is complete.
    fn end_line(&mut self, item: u16) {
        self.queue.push_back(item | LAST);
        self.committed = self.queue.len();
        self.lines += 1;
    }

    /// Takes back a character, a word, or all of the line.
    fn erase(&mut self, settings: &Settings, output: &mut Output, byte: u8) {
        let all = settings.is(byte, VKILL);
        let word = !all && !settings.is(byte, VERASE);
        if all && (!settings.has(ECHO) || !settings.has(ECHOK) || !settings.has(ECHOKE)) {
            self.queue.truncate(self.committed);
            if settings.has(ECHO) {
                echo(settings, output, byte);
                if settings.has(ECHOK) {
                    output.echo(settings, b"\n");
                }
            }
            return;
        }
        let mut within = false;
        while let Some(first) = self.last_character(settings) {
            let byte = self.queue.get(first).map_or(0, |&item| item as u8);
            if word {
                let part = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
                if within && !part {
                    break;
                }
                within |= part;
            }
            self.queue.truncate(first);
            if settings.has(ECHO) {
                self.echo_erasure(settings, output, byte, word || all);
            }
            if !word && !all {
                break;
            }
        }
    }

    /// Where the last character of the line begins.
    fn last_character(&self, settings: &Settings) -> Option<usize> {
        let line = self.committed..self.queue.len();
        let begins = |&at: &usize| {
            let item = self.queue.get(at).copied().unwrap_or_default();
            !continues(settings, item as u8)
        };
        line.clone().rev().find(begins).or(line.clone().next())
    }

    fn echo_erasure(&self, settings: &Settings, output: &mut Output, byte: u8, many: bool) {
        if !many && !settings.has(ECHOE) {
            return echo(settings, output, settings.chars[VERASE as usize]);
        }
        let count = match byte {
            b'\t' => output.column.saturating_sub(self.end_column(settings)),
            0..0x20 | 0x7f if settings.has(ECHOCTL) => 2,
            0..0x20 | 0x7f => 0,
            _ => 1,
        };
        let with: &[u8] = if byte == b'\t' { b"\x08" } else { b"\x08 \x08" };
        (0..count).for_each(|_| output.echo(settings, with));
    }

    /// The column where the line ends.
    fn end_column(&self, settings: &Settings) -> usize {
        self.queue.iter().skip(self.committed).fold(self.column, |column, &item| match item as u8 {
            b'\t' => column + 8 - column % 8,
            0..0x20 | 0x7f => column + if settings.has(ECHOCTL) { 2 } else { 0 },
            byte if continues(settings, byte) => column,
            _ => column + 1,
        })
    }

    /// Shows the line again.
    fn reprint(&mut self, settings: &Settings, output: &mut Output, byte: u8) {
        echo(settings, output, byte);
        output.echo(settings, b"\n");
        self.column = output.column;
        for &item in self.queue.iter().skip(self.committed) {
            echo(settings, output, item as u8);
        }
    }

    /// Reads a line, or what there is.
    pub fn read(&mut self, settings: &Settings, to: &mut Transfer<'_>) -> Result<()> {
        if settings.canonical() { self.read_line(to) } else { self.read_some(settings, to) }
    }

    fn read_line(&mut self, to: &mut Transfer<'_>) -> Result<()> {
        if self.lines == 0 {
            return Err(Errno::EAGAIN);
        }
        let mut bytes = Vec::new();
        while self.committed > 0 {
            // A line that ends exactly where the buffer does has no empty rest.
            let ends = self.queue.front().is_some_and(|item| item & NOTHING != 0);
            if bytes.len() as u64 >= to.left && !ends {
                break;
            }
            let Some(item) = self.queue.pop_front() else { break };
            self.committed -= 1;
            if item & NOTHING == 0 {
                bytes.push(item as u8);
            }
            if item & LAST != 0 {
                self.lines -= 1;
                break;
            }
        }
        to.put(&bytes).map(|_| ())
    }

    /// Without lines: at least so many bytes as are set, or as there is room for.
    fn read_some(&mut self, settings: &Settings, to: &mut Transfer<'_>) -> Result<()> {
        let count = (self.queue.len() as u64).min(to.left) as usize;
        let items = self.queue.drain(..count);
        let bytes: Vec<u8> =
            items.filter(|item| item & NOTHING == 0).map(|item| item as u8).collect();
        self.committed = self.queue.len();
        to.put(&bytes)?;
        let (least, patience) = (settings.least(), settings.patience());
        let enough = match (least, patience) {
            (0, 0) => true,
            (0, _) => to.done > 0,
            _ => to.done >= least || to.left == 0,
        };
        if enough { Ok(()) } else { Err(Errno::EAGAIN) }
    }
}

/// Shows a byte as the settings say; one that controls something as two that are seen.
pub fn echo(settings: &Settings, output: &mut Output, byte: u8) {
    match byte {
        b'\t' | b'\n' => output.echo(settings, &[byte]),
        0..0x20 | 0x7f if settings.has(ECHOCTL) => output.echo(settings, &[b'^', byte ^ 0x40]),
        _ => output.echo(settings, &[byte]),
    }
}
