//! What a service is given, and how its supervisor watches what it does.
//!
//! A service's first word is the address of two pages. The first is a table of *grants*, which it can only read:
//! a handle, or a number, with a kind and a name. The second is its *diary*: how many messages it has served, and
//! the last [`RECENT`] of them. The supervisor made both, and still has the diary when the service is gone.
//!
//! | words of the table | what |
//! |---|---|
//! | 0, 1 | [`MAGIC`]; how many grants follow |
//! | 2, 3 | the service's name |
//! | 6 each | [`Kind`], name in two words, handle, two numbers |

mod diary;
mod inbox;
mod table;

pub use diary::{Diary, Entry, RECENT};
pub use inbox::{Inbox, LEFT, PING, SAVE};
pub use table::{Kind, Name, Table};

use crate::abi::{Handle, PAGE};
use crate::object::{Interrupt, IoPorts, Memory, Object, Port};
use crate::start::{Start, exit};
use crate::{println, space};
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use table::{GRANT, Grant, HEAD, MAGIC, ROOM};

/// The exit code of a service that lacks what it needs.
pub const EXIT_NOT_GIVEN: u64 = 2;

/// Whether this program is a service, and has read what it was given.
static IS_ONE: AtomicBool = AtomicBool::new(false);

/// What this service was given. All of it is there until the process ends.
#[derive(Clone, Copy, Debug)]
pub struct Grants {
    words: &'static [u64],
}

/// A device's registers.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The pages with them.
    pub memory: &'static Memory,
    /// Where they are in physical memory, which may be in the middle of a page.
    pub physical: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// A device's interrupt, which sets these signals at the service's own port.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The interrupt.
    pub interrupt: &'static Interrupt,
    /// The signals.
    pub bits: u64,
}

/// A device's I/O ports.
#[derive(Clone, Copy, Debug)]
pub struct Io {
    /// The ports.
    pub ports: &'static IoPorts,
    /// The first.
    pub first: u16,
    /// How many.
    pub count: u16,
}

/// Memory that devices reach.
#[derive(Clone, Copy, Debug)]
pub struct Dma {
    /// Its pages, which outlive the service.
    pub memory: &'static Memory,
    /// Where it lies in physical memory.
    pub physical: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// Memory that outlives the service.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Its pages: zeroes, or whatever a predecessor left there.
    pub memory: &'static Memory,
    /// How many.
    pub pages: u64,
}

impl Grants {
    /// Those that a program's first word names. One without any ends here.
    pub fn read(start: &Start) -> Grants {
        let address = start.words[0];
        if address != space::GRANTS {
            println!("this is a service: its supervisor starts it");
            exit(EXIT_NOT_GIVEN);
        }
        // SAFETY: whoever starts a program with this word has mapped the page there, for good.
        let words = unsafe { core::slice::from_raw_parts(address as *const u64, ROOM) };
        if words[0] != MAGIC || words[1] as usize > (ROOM - HEAD) / GRANT {
            println!("the table of grants makes no sense");
            exit(EXIT_NOT_GIVEN);
        }
        diary().open();
        IS_ONE.store(true, Relaxed);
        Grants { words: &words[..HEAD + words[1] as usize * GRANT] }
    }

    /// What the service is called.
    pub fn name(&self) -> Name {
        Name([self.words[2], self.words[3]])
    }

    /// Where the service is spoken to.
    pub fn port(&self) -> &'static Port {
        object(self.need(Kind::Port, ""))
    }

    /// Where messages arrive, and are written into the diary.
    pub fn inbox(&self) -> Inbox<'static> {
        Inbox::with_diary(self.port(), diary())
    }

    /// A connection to another service.
    pub fn client(&self, name: &str) -> &'static Port {
        object(self.need(Kind::Client, name))
    }

    /// That connection, if there is one.
    pub fn find_client(&self, name: &str) -> Option<&'static Port> {
        self.find(Kind::Client, name).map(object)
    }

    /// Where another service is told that something has changed.
    pub fn bell(&self, name: &str) -> &'static Port {
        object(self.need(Kind::Bell, name))
    }

    /// The first of those, for a service that has but one and does not ask whose.
    pub fn any_bell(&self) -> Option<&'static Port> {
        self.all().find(|grant| grant.0[0] == Kind::Bell as u64).map(object)
    }

    /// The registers of the device.
    pub fn windows(&self) -> impl Iterator<Item = Window> + use<> {
        let all = self.all().filter(|grant| grant.is(Kind::Window, ""));
        all.map(|grant| Window { memory: object(grant), physical: grant.0[4], bytes: grant.0[5] })
    }

    /// The first registers of the device, without which the service ends.
    pub fn window(&self) -> Window {
        self.windows().next().unwrap_or_else(|| self.missing(Kind::Window, ""))
    }

    /// The interrupt of the device, if it has one.
    pub fn interrupt(&self) -> Option<Line> {
        let grant = self.find(Kind::Interrupt, "")?;
        Some(Line { interrupt: object(grant), bits: grant.0[4] })
    }

    /// The I/O ports of the device.
    pub fn io(&self) -> Io {
        let grant = self.need(Kind::Io, "");
        Io { ports: object(grant), first: grant.0[4] as u16, count: grant.0[5] as u16 }
    }

    /// Memory that outlives the service.
    pub fn kept(&self, name: &str) -> Kept {
        let grant = self.need(Kind::Kept, name);
        Kept { memory: object(grant), pages: grant.0[4] }
    }

    /// That memory, if there is some.
    pub fn find_kept(&self, name: &str) -> Option<Kept> {
        let grant = self.find(Kind::Kept, name)?;
        Some(Kept { memory: object(grant), pages: grant.0[4] })
    }

    /// Memory that devices reach.
    pub fn dma(&self) -> Dma {
        let grant = self.need(Kind::Dma, "");
        Dma { memory: object(grant), physical: grant.0[4], bytes: grant.0[5] }
    }

    /// A number by its name.
    pub fn word(&self, name: &str) -> u64 {
        self.need(Kind::Word, name).0[4]
    }

    /// That number, if there is one.
    pub fn find_word(&self, name: &str) -> Option<u64> {
        self.find(Kind::Word, name).map(|grant| grant.0[4])
    }

    fn all(&self) -> impl Iterator<Item = &'static Grant> + use<> {
        self.words[HEAD..].chunks_exact(GRANT).filter_map(Grant::of)
    }

    fn find(&self, kind: Kind, name: &str) -> Option<&'static Grant> {
        self.all().find(|grant| grant.is(kind, name))
    }

    fn need(&self, kind: Kind, name: &str) -> &'static Grant {
        self.find(kind, name).unwrap_or_else(|| self.missing(kind, name))
    }

    fn missing(&self, kind: Kind, name: &str) -> ! {
        println!("{}: was not given {kind:?} {name}", self.name());
        exit(EXIT_NOT_GIVEN)
    }
}

/// Writes down why this program panics, if it is a service, and stops where its supervisor sees it.
pub(crate) fn end(why: &[u8]) {
    if IS_ONE.load(Relaxed) {
        diary().end(why);
        crate::arch::trap();
    }
}

fn diary() -> Diary {
    Diary::at(space::GRANTS + PAGE)
}

/// A service that has grants, and no time to write down its messages, has served one more.
pub fn count_served() {
    diary().count();
}

/// The handle of a grant, as what it is.
fn object<T: Object>(grant: &'static Grant) -> &'static T {
    const { assert!(size_of::<T>() == size_of::<Handle>()) };
    // SAFETY: objects are handles and nothing else, and nobody changes the page.
    unsafe { &*(&raw const grant.0[3]).cast::<T>() }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text().as_str())
    }
}
