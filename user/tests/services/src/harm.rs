//! What the supervisor does when a service comes to harm.

use crate::victim::{END, HOARD, NOTHING, PANIC, Victim, WAIT, WRITE};
use crate::{Result, Test, World, want};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use rt::{Error, println, time};
use services::control::{Complain, Hurt, Kill, Log, Records};

pub const TESTS: &[Test] = &[
    ("kill", kill),
    ("panic", panic),
    ("fault", fault),
    ("wild", wild),
    ("exit", exit),
    ("hoard", hoard),
    ("hang", hang),
    ("wait", wait),
    ("hopeless", hopeless),
    ("many-kills", many_kills),
];

/// How often the victim is killed.
const KILLS: usize = 500;

impl World {
    /// Asks the victim for what ends it; that nobody answers, and another is there.
    fn end(&self, label: u32, word: u64) -> Result {
        let (_, lives) = self.state("victim")?;
        let before = self.victim.count()?;
        let answer = self.victim.ask_once(label, word, time::now() + 5 * time::SECOND);
        want!(answer == Err(Error::PeerGone));
        want!(self.victim.count()? == before + 1);
        want!(self.state("victim")? == ("runs".into(), lives + 1));
        Ok(())
    }

    /// The latest crash record of the victim.
    fn record(&self) -> core::result::Result<String, &'static str> {
        let records = self.control.ask(Records { count: 16 }).map_err(|_| "no records")?;
        let mut all = records.split("\n\n");
        let record = all.find(|record| record.starts_with("service victim\n"));
        record.map(String::from).ok_or("no record")
    }
}

fn kill(world: &World) -> Result {
    let before = world.victim.count()?;
    for round in 1..=20 {
        want!(world.control.tell(Kill { service: "victim" }).is_ok());
        want!(world.victim.count()? == before + round);
    }
    Ok(())
}

fn panic(world: &World) -> Result {
    world.end(PANIC, 0)?;
    let record = world.record()?;
    want!(record.contains("reason  panic at "));
    want!(record.contains(": as told, by 0x"));
    // Where it was, by name; what it was asked; what it had; what it was booted with.
    want!(record.contains("serve + 0x"));
    want!(record.contains(&format!(" call v0 {PANIC} from 0x")));
    want!(record.contains("  kept memory memory, 4 KiB\n"));
    want!(record.contains("services=services.test"));
    want!(record.len() <= 4096);
    Ok(())
}

fn fault(world: &World) -> Result {
    world.end(WRITE, 0)?;
    let record = world.record()?;
    want!(record.contains(&format!("reason  fault: Unmapped, writing {NOTHING:#x} at 0x")));
    want!(record.contains(&format!(" call v0 {WRITE} from 0x")));
    want!(record.contains(if cfg!(target_arch = "x86_64") { "   rip " } else { "    pc " }));
    Ok(())
}

fn wild(world: &World) -> Result {
    let before = world.victim.count()?;
    want!(world.control.tell(Hurt { service: "victim", how: "wild" }).is_ok());
    want!(world.victim.count()? == before + 1);
    want!(world.record()?.contains("reason  fault: Unmapped, executing 0xdead0000 at 0xdead0000"));
    Ok(())
}

fn exit(world: &World) -> Result {
    world.end(END, 7)?;
    want!(world.record()?.contains("reason  it ended with code 7 (0x7)"));
    Ok(())
}

/// One that takes more than the manifest says is ended, and nobody else has less.
fn hoard(world: &World) -> Result {
    let figures = || rt::machine().figures().map_err(|_| "no figures");
    let (others, before) = (world.state("asker")?, figures()?);
    for (way, what) in [(0, "memory allocation of "), (1, "0x")] {
        world.end(HOARD, way)?;
        want!(world.record()?.contains(&format!("reason  over its share of 1024 KiB: {what}")));
    }
    want!(world.state("asker")? == others && figures()?.free + 64 >= before.free);
    Ok(())
}

/// One that hangs is killed when somebody complains, and not before.
fn hang(world: &World) -> Result {
    let before = world.victim.count()?;
    let (_, lives) = world.state("victim")?;
    want!(world.control.tell(Hurt { service: "victim", how: "hang" }).is_ok());
    let answer = world.victim.ask_once(0, 0, time::now() + 50 * time::MILLISECOND);
    want!(answer == Err(Error::TimedOut));
    want!(world.state("victim")? == ("runs".into(), lives));
    want!(world.control.tell(Complain { service: "victim" }).is_ok());
    want!(world.victim.count()? == before + 1);
    let record = world.record()?;
    want!(record.contains("reason  it did not answer for 1000 ms"));
    want!(record.contains("circle + 0x"));
    want!(world.state("victim")? == ("runs".into(), lives + 1));
    Ok(())
}

/// One that waits for somebody else longer than it may take to answer is left alone.
fn wait(world: &World) -> Result {
    let before = world.victim.count()?;
    let runs = world.state("victim")?;
    let answer =
        world.victim.ask_once(WAIT, 3 * time::SECOND / 2, time::now() + 50 * time::MILLISECOND);
    want!(answer == Err(Error::TimedOut));
    want!(world.control.tell(Complain { service: "victim" }).is_ok());
    want!(world.victim.count()? == before + 1);
    want!(world.state("victim")? == runs);
    Ok(())
}

/// One that only dies is given up, and whoever calls it is told.
fn hopeless(world: &World) -> Result {
    let end = time::now() + 20 * time::SECOND;
    while &*world.state("hopeless")?.0 != "given up" {
        want!(time::now() < end);
        time::sleep(50 * time::MILLISECOND);
    }
    want!(world.state("hopeless")?.1 == 10);
    let hopeless = Victim(world.grants.client("hopeless"));
    want!(hopeless.ask_once(0, 0, time::now() + time::SECOND) == Err(Error::PeerGone));
    let log = world.control.ask(Log { service: "hopeless" }).map_err(|_| "no log")?;
    want!(log.contains("init: hopeless is given up"));
    Ok(())
}

/// Nothing is lost, and nothing is left, however often one is killed. How long it takes until another serves is
/// printed: with one instruction a nanosecond those are instructions.
fn many_kills(world: &World) -> Result {
    let machine = rt::machine();
    let (mut first, mut times) = (None, Vec::new());
    for round in 0..KILLS {
        let before = world.victim.count()?;
        let begin = time::now();
        want!(world.control.tell(Kill { service: "victim" }).is_ok());
        want!(world.victim.count()? == before + 1);
        times.push(time::now() - begin);
        if round == KILLS / 10 {
            first = machine.figures().ok();
        }
    }
    let (Some(first), Ok(last)) = (first, machine.figures()) else { return Err("no figures") };
    want!(last.actors[..3] == first.actors[..3] && last.handles == first.handles);
    want!(last.free + 16 >= first.free);
    times.sort_unstable();
    let of = |percent: usize| times[(KILLS - 1) * percent / 100];
    println!("recovery: p50 {} p99 {} max {} ns", of(50), of(99), of(100));
    Ok(())
}
