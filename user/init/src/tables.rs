//! The texts that clients are told: what there is, what it has, what it has used.

use crate::record::Seconds;
use crate::service::{Id, Life, Running};
use crate::supervisor::Supervisor;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

impl Supervisor {
    /// A line for each service.
    pub fn list(&self) -> String {
        let mut text = String::from("NAME             STATE     LIVES   SERVED  PROGRAM\n");
        for (&id, service) in &self.services {
            let (name, [served, _]) = (&service.name, service.done());
            let (state, program) = (self.state(id), &service.spec.program);
            // Text takes all that is written to it.
            let _ =
                writeln!(text, "{name:<16} {state:<9} {:>5} {served:>8}  {program}", service.lives);
        }
        text
    }

    /// What each service has used.
    pub fn top(&self) -> String {
        let mut text =
            format!("{:<16} {:>16} {:>10} {:>8} {:>8}\n", "NAME", "CPU", "SERVED", "KIB", "KEPT");
        for service in self.services.values() {
            let ([served, ran], [used, kept]) = (service.done(), service.memory());
            let (used, kept, ran) = (used >> 10, kept >> 10, format!("{}", Seconds(ran)));
            let _ =
                writeln!(text, "{:<16} {ran:>16} {served:>10} {used:>8} {kept:>8}", service.name);
        }
        text
    }

    /// How long each service took to serve again, in nanoseconds.
    pub fn recoveries(&self) -> String {
        let mut text =
            String::from("NAME              COUNT          P50          P99      LONGEST\n");
        for service in self.services.values() {
            let mut times = service.recoveries.clone();
            let latest = service.running().and_then(Running::recovery);
            latest.inspect(|&time| times.note(time));
            let _ = writeln!(text, "{:<16} {times}", service.name);
        }
        text
    }

    /// Who has what.
    pub fn caps(&self) -> String {
        let mut text = String::new();
        for service in self.services.values() {
            let _ = writeln!(text, "{}", service.name);
            for given in &service.given {
                let _ = writeln!(text, "    {given}");
            }
            if let Some(beside) = service.beside() {
                let _ = writeln!(text, "    and beside: {beside}");
            }
        }
        text
    }

    /// What a service is doing, in a word.
    fn state(&self, id: Id) -> &'static str {
        match self.services[&id].life {
            Life::Pausing(_) => "pauses",
            Life::Running(_) if self.is_asked(id) => "asked",
            Life::Running(_) => "runs",
            Life::Ending(..) => "ends",
            Life::Over(why) => why,
        }
    }
}
