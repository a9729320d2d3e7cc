//! The service that comes to harm, and how it is spoken to.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use rt::abi::{Arrival, FOREVER, MAP_WRITE, PAGE};
use rt::message::Message;
use rt::service::{Grants, SAVE};
use rt::space::Mapping;
use rt::{Error, Port, println, time};
use services::Control;
use services::control::{Complain, Failure, Kill};

/// The number of the one that panics at once.
pub const HOPELESS: u64 = 2;

/// What it is asked: to say how often it was, in all of its lives together.
const COUNT: u32 = 1;
/// To panic, to write where nothing is, to end.
pub const PANIC: u32 = 2;
/// See above.
pub const WRITE: u32 = 3;
/// See above.
pub const END: u32 = 4;
/// To say which version of the program it is.
const VERSION: u32 = 5;
/// To say what a word is.
const WORD: u32 = 6;
/// To have the victim killed, and say what the supervisor thinks of that.
const ASK: u32 = 7;
/// To complain about the victim.
const COMPLAIN: u32 = 8;
/// To take memory until there is none: of its heap, or by touching pages if the word is not zero.
pub const HOARD: u32 = 9;
/// To wait for so many nanoseconds.
pub const WAIT: u32 = 10;

/// What a test changes in a copy of the program: a mark to find it by, and the version.
#[unsafe(no_mangle)]
pub static MARKED: [AtomicU64; 2] = [AtomicU64::new(MARK), AtomicU64::new(1)];
/// The mark.
pub const MARK: u64 = u64::from_le_bytes(*b"versions");

/// Serves for ever. Backtraces have its name.
#[inline(never)]
pub fn serve(grants: &Grants) -> u64 {
    let kept = grants.find_kept("memory");
    let kept = kept.map(|kept| Mapping::new(kept.memory, 0, 1, MAP_WRITE).expect("its memory"));
    let add = || {
        let Some(kept) = &kept else { return 0 };
        // SAFETY: it is mapped and aligned, and nobody else has it now.
        unsafe { AtomicU64::from_ptr(kept.pointer(0)) }.fetch_add(1, Relaxed) + 1
    };
    let inbox = grants.inbox();
    let mut received = inbox.receive(FOREVER).expect("a message");
    loop {
        let word = match received.label() {
            _ if received.arrival != Arrival::Call => 0,
            COUNT => add(),
            PANIC => panic!("as told, by {:#x}", received.badge),
            WRITE => {
                // SAFETY: nothing is there: it faults.
                unsafe { (NOTHING as *mut u64).write_volatile(1) };
                0
            }
            END => rt::start::exit(received.words[0]),
            HOARD if received.words[0] == 0 => hoard(),
            HOARD => touch(),
            WAIT => {
                time::sleep(received.words[0]);
                0
            }
            VERSION => MARKED[1].load(Relaxed),
            WORD => grants.find_word("word").unwrap_or(0),
            SAVE => {
                println!("{}: saved", grants.name());
                0
            }
            ASK => number(control(grants).tell(Kill { service: "victim" })),
            COMPLAIN => number(control(grants).tell(Complain { service: "victim" })),
            _ => 0,
        };
        let answer = Message::new(0).words(&[word]);
        received = inbox.reply_receive(&answer, FOREVER).expect("a message");
    }
}

/// Takes more and more of the heap.
fn hoard() -> u64 {
    let mut all = Vec::new();
    loop {
        all.push(core::hint::black_box(alloc::vec![1u8; 1 << 12]));
    }
}

/// Touches more and more pages.
fn touch() -> u64 {
    let pages = 64 << 20 >> 12;
    let mapping =
        Mapping::fresh(pages, MAP_WRITE).expect("a mapping, of which nothing is there yet");
    for page in 0..pages {
        // SAFETY: it is this function's own.
        unsafe { mapping.pointer::<u64>(page * PAGE).write_volatile(1) };
    }
    0
}

fn control(grants: &Grants) -> Control<'static> {
    Control(grants.client("supervisor"))
}

/// Why something failed, or zero.
fn number(result: Result<(), Failure>) -> u64 {
    result.err().map_or(0, |failure| failure as u64)
}

/// Where nothing is.
pub const NOTHING: u64 = 0x1000;

/// A way to one.
pub struct Victim(pub &'static Port);

/// Lives that may end between two answers.
const ATTEMPTS: usize = 8;

impl Victim {
    /// Asks once.
    pub fn ask_once(&self, label: u32, word: u64, deadline: u64) -> Result<u64, Error> {
        self.0.call(&Message::new(label).words(&[word]), deadline).map(|answer| answer.words[0])
    }

    /// Asks again while those who are asked die.
    fn ask(&self, label: u32) -> Result<u64, &'static str> {
        for _ in 0..ATTEMPTS {
            match self.ask_once(label, 0, time::now() + 5 * time::SECOND) {
                Ok(word) => return Ok(word),
                Err(Error::PeerGone) => {}
                Err(_) => return Err("no answer"),
            }
        }
        Err("nobody is there")
    }

    /// How often it was asked this in all of its lives together.
    pub fn count(&self) -> Result<u64, &'static str> {
        self.ask(COUNT)
    }

    /// Which version of the program it is.
    pub fn version(&self) -> Result<u64, &'static str> {
        self.ask(VERSION)
    }

    /// What the word `word` says.
    pub fn word(&self) -> Result<u64, &'static str> {
        self.ask(WORD)
    }

    /// Has it ask the supervisor to kill the victim.
    pub fn kills(&self) -> Result<u64, &'static str> {
        self.ask(ASK)
    }

    /// Has it complain about the victim.
    pub fn complains(&self) -> Result<u64, &'static str> {
        self.ask(COMPLAIN)
    }
}
