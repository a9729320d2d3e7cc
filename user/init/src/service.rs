//! One service: what it is, what outlives it, and the life that it has.

use crate::device::Device;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;
use rt::abi::{Error, Handle, PAGE};
use rt::loader::Child;
use rt::service::Diary;
use rt::space::Mapping;
use rt::{Interrupt, Memory, Port, println, time};
use services::manifest::Spec;
use services::policy::Patience;
use services::recovery::Times;

/// The number of a service, which it has as long as it is there.
pub type Id = u64;
/// The kinds of handles, from the first on.
const KINDS: [&str; 9] =
    ["process", "thread", "port", "reply", "memory", "interrupt", "timer", "machine", "I/O ports"];
/// Messages that may wait at a port.
const QUEUE: u64 = 16;

/// A service.
pub struct Service {
    /// What the manifest says.
    pub spec: Spec,
    /// What it is called.
    pub name: String,
    /// What it drives.
    pub device: Option<Device>,
    /// Its program.
    pub program: Rc<Program>,
    /// The one before that, until somebody's program that took its place is known to serve.
    pub before: Option<Rc<Program>>,
    /// Where it is spoken to, whichever of its lives it has.
    pub port: Port,
    /// The line of its device, which sets a signal there. It outlives each driver, so that somebody always has it.
    pub interrupt: OnceCell<Option<Interrupt>>,
    /// The memory that outlives it.
    pub kept: Vec<Kept>,
    /// Those that it may speak to: by which name, which, with which badge.
    pub clients: Vec<(String, Id, u64)>,
    /// Numbers that it is given beside those of the manifest.
    pub words: Vec<(String, u64)>,
    /// What it was given, as a person reads it.
    pub given: Vec<String>,
    /// The life that it has.
    pub life: Life,
    /// How often it has died in vain.
    pub patience: Patience,
    /// How many lives it has had.
    pub lives: u64,
    /// When it died last, and how long it took to serve again.
    pub died: u64,
    /// See above.
    pub recoveries: Times,
    /// Messages that it has served in former lives, and nanoseconds that it ran in them.
    pub past: [u64; 2],
}

/// The file of a program.
pub enum Program {
    /// It came with the machine.
    Shipped(&'static [u8]),
    /// Somebody gave it: nobody else can change this copy, of so many bytes.
    Given(Mapping, usize),
}

impl Program {
    /// The file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Program::Shipped(bytes) => bytes,
            // SAFETY: nobody has a handle to it that allows writing.
            Program::Given(mapping, length) => unsafe { &mapping.bytes()[..*length] },
        }
    }
}

/// Memory that outlives a service.
pub struct Kept {
    /// What it is called; that for devices has no name.
    pub name: String,
    /// The memory.
    pub memory: Memory,
    /// How long it is.
    pub pages: u64,
    /// Where it is, if devices reach it.
    pub physical: Option<u64>,
}

impl Kept {
    /// How long it is in KiB.
    pub fn kib(&self) -> u64 {
        self.pages * (PAGE >> 10)
    }
}

/// What a service is doing.
pub enum Life {
    /// It is to be started then.
    Pausing(u64),
    /// It runs.
    Running(Running),
    /// It was ended, and is not gone yet.
    Ending(Running, Then),
    /// It is not started any more, and why.
    Over(&'static str),
}

/// A process that serves.
pub struct Running {
    /// The process.
    pub child: Child,
    /// What it has served.
    pub diary: Memory,
    /// When it began.
    pub since: u64,
    /// When its predecessor died, if there was one.
    pub after: Option<u64>,
    /// It has a crash record.
    pub is_recorded: bool,
    /// The handles that it began with.
    pub given: Vec<Handle>,
}

/// What comes after a life that was ended.
pub enum Then {
    /// Another.
    Again,
    /// That of another program.
    Replaced(Child),
    /// Nothing.
    Over,
    /// Nothing, and nobody remembers it.
    Forgotten,
}

impl Service {
    /// One that has not started yet, with the memory that outlives it.
    pub fn new(
        spec: Spec,
        name: String,
        device: Option<Device>,
        program: Program,
    ) -> Result<Service, Error> {
        let mut kept = Vec::new();
        for (name, pages) in &spec.kept {
            let memory = Memory::create(*pages)?;
            kept.push(Kept { name: name.clone(), memory, pages: *pages, physical: None });
        }
        if spec.dma > 0 {
            let (memory, physical) = Memory::contiguous(&rt::machine(), spec.dma)?;
            let (name, physical) = (String::new(), Some(physical));
            kept.push(Kept { name, memory, pages: spec.dma, physical });
        }
        Ok(Service {
            name,
            device,
            program: Rc::new(program),
            before: None,
            port: Port::create(QUEUE)?,
            interrupt: OnceCell::new(),
            kept,
            clients: Vec::new(),
            words: Vec::new(),
            given: Vec::new(),
            life: Life::Pausing(0),
            patience: Patience::default(),
            lives: 0,
            died: 0,
            recoveries: Times::default(),
            past: [0; 2],
            spec,
        })
    }

    /// The process that serves, or did until just now.
    pub fn running(&self) -> Option<&Running> {
        match &self.life {
            Life::Running(running) | Life::Ending(running, _) => Some(running),
            Life::Pausing(_) | Life::Over(_) => None,
        }
    }

    /// Messages that it has served, and nanoseconds that it has run.
    pub fn done(&self) -> [u64; 2] {
        let [served, ran] = self.past;
        let now = self.running().map_or([0; 2], |running| [running.served(), running.ran()]);
        [served + now[0], ran + now[1]]
    }

    /// Whether this life of it has served something.
    pub fn has_served(&self) -> bool {
        self.done()[0] > self.past[0]
    }

    /// Another program takes the place of its own, which is remembered, or of one that has not served, which is not.
    pub fn change_program(&mut self, program: Program) {
        let old = core::mem::replace(&mut self.program, Rc::new(program));
        self.before = self.before.take().filter(|_| !self.has_served()).or(Some(old));
    }

    /// Its life went wrong: should that be the first one of another program, in which nothing was served, it goes on
    /// with the program that it had before.
    pub fn fall_back(&mut self, has_served: bool) {
        if let Some(before) = self.before.take().filter(|_| !has_served) {
            println!("init: {}: it goes on with the program before", self.name);
            (self.program, self.patience) = (before, Patience::default());
        }
    }

    /// Bytes of memory that it uses, and those that are kept for it.
    pub fn memory(&self) -> [u64; 2] {
        let info = self.running().and_then(|running| running.child.process.info().ok());
        let kept: u64 = self.kept.iter().map(|kept| kept.pages * PAGE).sum();
        [info.map_or(0, |info| info.used), kept]
    }

    /// What it has beside what it was given: how many handles of each kind; none if there are none.
    pub fn beside(&self) -> Option<String> {
        let Running { child, given, .. } = self.running()?;
        let mut counts = BTreeMap::<u64, u64>::new();
        for held in child.process.handles().filter(|held| !given.contains(&held.handle)) {
            *counts.entry(held.kind).or_default() += 1;
        }
        let kind = |kind: u64| KINDS.get(kind as usize - 1).unwrap_or(&"other");
        let counts = counts.iter().map(|(&nth, count)| format!("{count} {}", kind(nth)));
        Some(counts.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// The life that it has is at its end, unless it was before.
    pub fn dies(&mut self) {
        if self.running().is_some_and(|running| self.died < running.since) {
            self.died = time::now();
        }
    }

    /// Ends the life that it has, and says what comes after; one that is over already does not begin again.
    pub fn end(&mut self, then: Then) {
        self.dies();
        let life = core::mem::replace(&mut self.life, Life::Over("ended"));
        self.life = match (life, then) {
            (Life::Running(running) | Life::Ending(running, _), then) => {
                // One that is gone is gone.
                let _ = running.child.process.kill(0);
                Life::Ending(running, then)
            }
            (_, Then::Again | Then::Replaced(_)) => Life::Pausing(time::now()),
            (_, Then::Over | Then::Forgotten) => Life::Over("stopped"),
        };
    }
}

impl Running {
    /// Messages that it has served.
    pub fn served(&self) -> u64 {
        Diary::served(&self.diary).unwrap_or(0)
    }

    /// How long it took from the death of its predecessor until it had served something.
    pub fn recovery(&self) -> Option<u64> {
        Some(Diary::first_served(&self.diary)?.saturating_sub(self.after?))
    }

    /// Nanoseconds that it has run.
    pub fn ran(&self) -> u64 {
        self.child.process.info().map_or(0, |info| info.ran)
    }
}
