//! The table of grants, as its writer makes it.

use super::Diary;
use crate::abi::{Error, Handle, MAP_WRITE, PAGE};
use crate::loader::Child;
use crate::object::Memory;
use crate::space;
use alloc::vec::Vec;
use arrayvec::ArrayString;

/// The first word.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ochresvc");
/// Words of the page, of what comes before the grants, and of a grant.
pub const ROOM: usize = PAGE as usize / 8;
/// See above.
pub const HEAD: usize = 4;
/// See above.
pub const GRANT: usize = 6;

/// What a grant is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Kind {
    /// The service's own port, where it receives.
    Port = 1,
    /// A connection to the service of this name.
    Client,
    /// The port of the service of this name, where signals can be set and nothing else.
    Bell,
    /// A device's registers: their physical address, and bytes.
    Window,
    /// A device's interrupt: the signals that it sets at the service's own port.
    Interrupt,
    /// A device's I/O ports: the first, and how many.
    Io,
    /// Memory that outlives the service: its pages.
    Kept,
    /// Such memory that devices reach: its physical address, and bytes.
    Dma,
    /// A number.
    Word,
}

/// A name of at most 16 bytes, padded with zeroes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(pub [u64; 2]);

impl Name {
    /// The longest.
    pub const BYTES: usize = 16;

    /// As much of a text as fits.
    pub fn new(text: &str) -> Name {
        let mut bytes = [0; Name::BYTES];
        bytes.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
        let value = u128::from_le_bytes(bytes);
        Name([value as u64, (value >> 64) as u64])
    }

    /// The text.
    pub fn text(&self) -> ArrayString<{ Name::BYTES }> {
        let bytes = self.0.into_iter().flat_map(u64::to_le_bytes);
        let mut text = ArrayString::new();
        bytes.take_while(|&byte| byte != 0).for_each(|byte| text.push(char::from(byte & 0x7f)));
        text
    }
}

/// A grant, as words.
#[repr(transparent)]
pub(super) struct Grant(pub [u64; GRANT]);

impl Grant {
    /// The one in so many words.
    pub fn of(words: &'static [u64]) -> Option<&'static Grant> {
        let words: &[u64; GRANT] = words.try_into().ok()?;
        // SAFETY: it is these words and nothing else.
        Some(unsafe { &*(&raw const *words).cast::<Grant>() })
    }

    /// Whether it is the one of this kind and name.
    pub fn is(&self, kind: Kind, name: &str) -> bool {
        self.0[0] == kind as u64 && Name([self.0[1], self.0[2]]) == Name::new(name)
    }
}

/// The grants of a service that is to be started.
#[derive(Debug)]
pub struct Table(Vec<u64>);

impl Table {
    /// None yet.
    pub fn new(service: &str) -> Table {
        let [first, second] = Name::new(service).0;
        Table(alloc::vec![MAGIC, 0, first, second])
    }

    /// One more: a handle that the service has, which may be none, and two numbers.
    pub fn add(&mut self, kind: Kind, name: &str, handle: Handle, numbers: [u64; 2]) {
        let ([first, second], [a, b]) = (Name::new(name).0, numbers);
        self.0.extend([kind as u64, first, second, handle, a, b]);
        self.0[1] += 1;
    }

    /// Puts it into a process, of which it becomes the first word; the diary that it will write.
    pub fn install(self, child: Child) -> Result<(Child, Memory), Error> {
        if self.0.len() > ROOM {
            return Err(Error::NoMemory);
        }
        let bytes: Vec<u8> = self.0.into_iter().flat_map(u64::to_le_bytes).collect();
        let grants = Memory::create(1)?;
        grants.write(0, &bytes)?;
        let diary = Memory::create(Diary::PAGES)?;
        child.process.map(&grants, space::GRANTS, 0, 1, 0)?;
        child.process.map(&diary, space::GRANTS + PAGE, 0, Diary::PAGES, MAP_WRITE)?;
        Ok((child.with_words([space::GRANTS, 0]), diary))
    }
}
