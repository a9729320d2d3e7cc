//! tmp
#![expect(missing_docs)]
use crate::log::Level;
#[derive(Clone, Copy, Debug)]
pub enum Then { Idle, Off, Panic }
#[derive(Clone, Copy, Debug)]
pub struct Options { pub level: Level, pub hz: u64, pub emulator: bool, pub then: Then }
impl Options {
    pub fn parse(line: &str) -> Options {
        let mut o = Options { level: Level::Info, hz: 100, emulator: false, then: Then::Idle };
        for w in line.split_ascii_whitespace() {
            match w { "exit=qemu" => o.emulator = true, "then=off" => o.then = Then::Off, "then=panic" => o.then = Then::Panic, "quiet" => o.level = Level::Warn, _ => {
                if let Some(l) = w.strip_prefix("log=").and_then(Level::parse) { o.level = l } } }
        }
        o
    }
}
