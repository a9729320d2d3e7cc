//! The initrd and the command line: what the machine was booted with.

use crate::abi::{Error, PAGE};
use crate::initrd;
use crate::object::Memory;
use crate::space::Mapping;
use alloc::format;
use alloc::string::String;

/// The files of the initrd.
#[derive(Debug)]
pub struct Files {
    mapping: Mapping,
    length: usize,
}

impl Files {
    /// Maps the initrd.
    pub fn new((memory, length): &(Memory, u64)) -> Result<Files, Error> {
        let mapping = Mapping::new(memory, 0, length.div_ceil(PAGE), 0)?;
        Ok(Files { mapping, length: *length as usize })
    }

    /// The contents of a file, named without a slash at the front.
    pub fn find(&self, name: &str) -> Option<&[u8]> {
        // SAFETY: nobody has a handle that allows writing to the initrd.
        let archive = unsafe { self.mapping.bytes() };
        initrd::find(archive.get(..self.length)?, name)
    }

    /// The file of a program.
    pub fn program(&self, name: &str) -> Option<&[u8]> {
        self.find(&format!("ochre/{name}"))
    }
}

/// The words of the kernel's command line.
#[derive(Debug)]
pub struct Words(String);

impl Words {
    /// Asks the machine; nothing if it does not answer.
    pub fn read() -> Words {
        let mut line = [0; 512];
        let length = crate::machine().command_line(&mut line).unwrap_or(0);
        Words(String::from_utf8_lossy(&line[..length.min(512)]).into_owned())
    }

    /// All of them.
    pub fn line(&self) -> &str {
        &self.0
    }

    /// Whether a word is there.
    pub fn has(&self, word: &str) -> bool {
        self.0.split_ascii_whitespace().any(|it| it == word)
    }

    /// What stands behind `name=`, the last time that it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = |word: &&'_ str| word.split_once('=').is_some_and(|(key, _)| key == name);
        self.0.split_ascii_whitespace().rfind(value)?.split_once('=').map(|(_, value)| value)
    }

    /// The number that stands behind `name=`, if it is one.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}
