//! Harm that is done to a thread that serves a port, for tests of what comes of it.
//!
//! It is named by a word, and some of it by a number as well, so that the same can be done again: `delay:20`.
//! docs/services.md has the words. Whoever does it has a thread to spare: it may take as long as the number says.
#![no_std]

use rt::abi::Arrival;
use rt::arch::{PROGRAM_COUNTER, STACK_POINTER};
use rt::message::Message;
use rt::object::{Halted, Process, Reply, halt, reply};
use rt::time::{MILLISECOND, now, sleep};
use rt::{Error, Port, Thread};

/// Where nothing is.
pub const WILD: u64 = 0xdead_0000;
/// Words of a stack, from its top, of which one is changed.
const WORDS: u64 = 256;
/// How long what is to be taken away may take to come.
const PATIENCE: u64 = 20 * MILLISECOND;
/// What no answer begins with.
const NONSENSE: u32 = 1 << 31;

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// It goes on where nothing is.
    Wild,
    /// It goes in circles.
    Hang,
    /// It hears of an interrupt that was none.
    Spurious,
    /// It does not run for so many milliseconds.
    Delay(u64),
    /// What comes next never arrives: a signal, or a call, whose caller hears so many milliseconds later that nobody
    /// has answered, when others were served.
    Lose(u64),
    /// What comes next is answered, if it is a call, as no server would.
    Garbage(u64),
    /// A bit of its registers turns around.
    Register(u64),
    /// A bit of its stack turns around.
    Stack(u64),
}

/// Who comes to harm.
#[derive(Debug)]
pub struct Victim {
    /// The process.
    pub process: Process,
    /// The thread.
    pub thread: Thread,
    /// Where it receives.
    pub port: Port,
    /// The signals of its interrupt.
    pub interrupt: u64,
    /// Where its program has a circle.
    pub circle: u64,
}

impl Harm {
    /// That of a word and a number.
    pub fn of(text: &str) -> Option<Harm> {
        let (word, number) = text.split_once(':').unwrap_or((text, "0"));
        let number = number.parse().ok()?;
        Some(match word {
            "wild" => Harm::Wild,
            "hang" => Harm::Hang,
            "spurious" => Harm::Spurious,
            "delay" => Harm::Delay(number),
            "lose" => Harm::Lose(number),
            "garbage" => Harm::Garbage(number),
            "register" => Harm::Register(number),
            "stack" => Harm::Stack(number),
            _ => return None,
        })
    }

    /// Does it.
    pub fn to(self, victim: &Victim) -> Result<(), Error> {
        if self == Harm::Spurious {
            return victim.port.signal(victim.interrupt);
        }
        let thread = &victim.thread;
        let done = match halt(thread, PATIENCE) {
            Some(mut registers) => self.to_halted(victim, &mut registers),
            None => Err(Error::Busy),
        };
        thread.resume().and(done)
    }

    fn to_halted(self, victim: &Victim, registers: &mut rt::object::General) -> Result<(), Error> {
        match self {
            Harm::Wild => registers[PROGRAM_COUNTER] = WILD,
            Harm::Hang => registers[PROGRAM_COUNTER] = victim.circle,
            Harm::Register(number) => {
                registers[(number / 64) as usize % registers.len()] ^= 1 << (number % 64);
            }
            Harm::Stack(number) => return victim.change_stack(registers[STACK_POINTER], number),
            Harm::Delay(number) => {
                sleep(number * MILLISECOND);
                return Ok(());
            }
            Harm::Lose(number) => return victim.lose(number),
            Harm::Garbage(number) => return victim.talk_nonsense(number),
            Harm::Spurious => return Ok(()),
        }
        Halted::Suspended(&victim.thread).write(registers)
    }
}

impl Victim {
    fn change_stack(&self, top: u64, number: u64) -> Result<(), Error> {
        let (at, mut word) = (top + number / 64 % WORDS * 8, [0; 8]);
        self.process.read(at, &mut word)?;
        let changed = u64::from_le_bytes(word) ^ 1 << (number % 64);
        self.process.write(at, &changed.to_le_bytes())
    }

    fn lose(&self, number: u64) -> Result<(), Error> {
        let received = self.port.receive(now() + PATIENCE)?;
        received.close_handles();
        if received.arrival == Arrival::Call {
            let reply = Reply::save()?;
            self.thread.resume()?;
            sleep(number * MILLISECOND);
            drop(reply);
        }
        Ok(())
    }

    /// An answer with a label that does not exist, or with words that are too large for whatever they mean.
    fn talk_nonsense(&self, number: u64) -> Result<(), Error> {
        let received = self.port.receive(now() + PATIENCE)?;
        received.close_handles();
        let label = if number.is_multiple_of(2) { NONSENSE | number as u32 } else { 0 };
        match received.arrival {
            Arrival::Call => reply(&Message::new(label).words(&[!number; 4])),
            _ => Ok(()),
        }
    }
}
