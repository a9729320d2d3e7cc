//! What is left of a life that went wrong: a text that is short enough to be passed on.

use crate::backtrace::{Registers, write_registers};
use crate::service::{Id, Life};
use crate::supervisor::Supervisor;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use rt::abi::FaultKind;
use rt::files::Words;
use rt::message::Received;
use rt::object::Halted;
use rt::service::Diary;
use rt::{println, time};
use services::manifest::Trait;

/// Records that are kept.
const KEPT: usize = 16;
/// What a program says that panics for want of memory.
const NO_HEAP: &str = "memory allocation of ";
/// Bytes of a record.
const LONGEST: usize = 4096;
/// What happened, by the number of its access.
pub const ACCESSES: [&str; 3] = ["reading", "writing", "executing"];

impl Supervisor {
    /// A service made a fault, which waits for its answer. Says whether it panicked.
    pub fn fault(&mut self, id: Id, received: &Received) -> bool {
        let Some(service) = self.services.get_mut(&id) else { return false };
        service.dies();
        let Some(running) = service.running() else { return false };
        let last_words = Diary::last_words(&running.diary).unwrap_or_default();
        let has_panicked = !last_words.is_empty();
        let [address, access, pc, ..] = received.words;
        let quota = running.child.process.info().map_or(0, |info| info.quota);
        let share = format!("over its share of {} KiB", quota >> 10);
        let reason = match (has_panicked, received.fault()) {
            (true, _) => match last_words.find(NO_HEAP) {
                Some(at) => format!("{share}: {}", &last_words[at..]),
                None => last_words,
            },
            (false, Some(FaultKind::NoMemory)) => format!("{share}: {address:#x} at {pc:#x}"),
            (false, Some(kind)) => {
                let access = ACCESSES.get(access as usize).unwrap_or(&"using");
                format!("fault: {kind:?}, {access} {address:#x} at {pc:#x}")
            }
            (false, None) => format!("it made foreign call {}", received.label()),
        };
        self.record(id, &reason, Halted::Last.general().ok());
        has_panicked
    }

    /// Writes down what is known of a service that is about to end, or has.
    pub fn record(&mut self, id: Id, reason: &str, registers: Option<Registers>) {
        println!("init: {}: {reason}", self.services[&id].name);
        let mut text = String::new();
        // Text takes all that is written to it.
        let _ = self.write_record(&mut text, id, reason, registers);
        text.truncate(text.floor_char_boundary(LONGEST));
        if self.services[&id].spec.has(Trait::Critical) {
            // The machine ends with it, and nobody can ask any more.
            text.lines().for_each(|line| println!("{line}"));
        }
        self.records.push_front(text);
        self.records.truncate(KEPT);
        if let Life::Running(running) = &mut self.service(id).life {
            running.is_recorded = true;
        }
    }

    fn write_record(
        &self,
        text: &mut String,
        id: Id,
        reason: &str,
        registers: Option<Registers>,
    ) -> fmt::Result {
        let service = &self.services[&id];
        let now = time::now();
        let name = &service.name;
        writeln!(text, "service {name}")?;
        writeln!(text, "time    {}", Seconds(now))?;
        writeln!(text, "reason  {reason}")?;
        if let Some(running) = service.running() {
            let (age, served) = (Seconds(now.saturating_sub(running.since)), running.served());
            writeln!(text, "life    {}, {age} long, {served} messages served", service.lives)?;
            if let Some(registers) = &registers {
                text.push_str("backtrace\n");
                let (program, process) = (&service.spec.program, &running.child.process);
                self.write_backtrace(text, program, process, registers);
                text.push_str("registers\n");
                write_registers(text, registers);
            }
            if service.before.is_some() {
                text.push_str(
                    "program took another's place, which goes on if nothing was served\n",
                );
            }
            text.push_str("messages, the last one last\n");
            for entry in Diary::read(&running.diary).unwrap_or_default() {
                writeln!(text, "  {} {entry}", Seconds(entry.time))?;
            }
        }
        text.push_str("it had\n");
        for given in &service.given {
            writeln!(text, "  {given}")?;
        }
        if let Some(beside) = service.beside() {
            writeln!(text, "  and beside: {beside}")?;
        }
        writeln!(
            text,
            "to see it again: boot with `{}`, and do what led to the last message",
            Words::read().line()
        )
    }
}

/// A time in seconds.
pub struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = self.0 / 1000;
        write!(out, "{}.{:06} s", microseconds / 1_000_000, microseconds % 1_000_000)
    }
}
