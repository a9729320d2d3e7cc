//! What the supervisor does when it is asked.

use crate::victim::{MARK, Victim};
use crate::{Result, Test, World, want};
use alloc::boxed::Box;
use alloc::vec::Vec;
use rt::abi::PAGE;
use rt::{Error, Memory, time};
use services::control::{Caps, Failure, Hurt, Kill, List, Power, Stop, Top};

pub const TESTS: &[Test] = &[
    ("list-and-top", list_and_top),
    ("caps", caps),
    ("nonsense", nonsense),
    ("not-everyone-may-ask", not_everyone_may_ask),
    ("replace", replace),
    ("start-and-stop", start_and_stop),
    ("console-goes-on", console_goes_on),
];

impl World {
    /// The state of a service, and how many lives it has had.
    pub fn state(&self, name: &str) -> core::result::Result<(Box<str>, u64), &'static str> {
        let list = self.control.ask(List {}).map_err(|_| "no list")?;
        let row = list.lines().find(|line| line.split_ascii_whitespace().next() == Some(name));
        let row = row.ok_or("not in the list")?;
        // A state may be of two words, and after it comes a number.
        let digit = row[17..].find(|it: char| it.is_ascii_digit()).ok_or("no lives")? + 17;
        let lives = row[digit..].split(' ').next().and_then(|lives| lives.parse().ok());
        Ok((row[17..digit].trim().into(), lives.ok_or("no lives")?))
    }
}

fn list_and_top(world: &World) -> Result {
    want!(&*world.state("victim")?.0 == "runs");
    want!(world.state("tester")? == ("runs".into(), 1));
    world.victim.count()?;
    let top = world.control.ask(Top {}).map_err(|_| "no top")?;
    let row: Vec<&str> = match top.lines().find(|line| line.starts_with("victim ")) {
        Some(line) => line.split_ascii_whitespace().collect(),
        None => return Err("the victim is not in it"),
    };
    // It runs, has served, uses memory, and has a page that is kept.
    want!(row[1] != "0.000000" && row[3] != "0" && row[4] != "0" && row[5] == "4");
    Ok(())
}

fn caps(world: &World) -> Result {
    let caps = world.control.ask(Caps {}).map_err(|_| "no caps")?;
    let of = |name: &str| -> Vec<&str> {
        let lines = caps.lines().skip_while(|&line| line != name).skip(1);
        lines.take_while(|line| line.starts_with(' ')).map(str::trim).collect()
    };
    let victim = of("victim");
    want!(
        victim
            == [
                "writes the log",
                "receives at its port",
                "kept memory memory, 4 KiB",
                "the number role 1"
            ]
    );
    want!(of("asker").iter().any(|line| line.starts_with("calls victim as victim, badge 0x")));
    want!(of("asker").contains(&"complains to the supervisor"));
    Ok(())
}

fn nonsense(world: &World) -> Result {
    let control = world.control;
    want!(control.tell(Kill { service: "nobody" }) == Err(Failure::NotFound));
    want!(control.tell(Hurt { service: "victim", how: "badly" }) == Err(Failure::Invalid));
    want!(control.tell(Power { how: "up" }) == Err(Failure::Invalid));
    want!(control.start("nothing", "", "") == Err(Failure::NotFound));
    want!(control.tell(Kill { service: &"x".repeat(600) }) == Err(Failure::Invalid));
    let other = rt::Message::new(99).words(&[1, 0]).lend(b"x");
    let answer = control.0.call(&other, time::now() + time::SECOND);
    want!(answer.is_ok_and(|answer| answer.info.label() == Failure::OtherVersion as u32));
    Ok(())
}

fn not_everyone_may_ask(world: &World) -> Result {
    let asker = Victim(world.grants.client("asker"));
    let (_, lives) = world.state("victim")?;
    want!(asker.kills()? == Failure::NotAllowed as u64);
    // It may complain, but the victim is well.
    want!(asker.complains()? == 0);
    world.victim.count()?;
    want!(world.state("victim")? == ("runs".into(), lives));
    Ok(())
}

/// A program takes the place of another, and goes on with its memory; what is no program does not.
fn replace(world: &World) -> Result {
    let mut program = world.files.program("svctest").ok_or("no program")?.to_vec();
    let mark = MARK.to_le_bytes();
    // The code may have the mark as well: the version behind it is 1.
    let is_it = |at: &usize| program[*at..].starts_with(&mark) && program[at + 8] == 1;
    let at = (0..program.len() - 16).find(is_it).ok_or("no mark")?;
    program[at + 8] = 2;
    let memory = Memory::create((program.len() as u64).div_ceil(PAGE)).map_err(|_| "no memory")?;
    memory.write(0, &program).map_err(|_| "no memory")?;
    let before = world.victim.count()?;
    want!(world.victim.version()? == 1);
    let (_, lives) = world.state("victim")?;
    let length = program.len() as u64;
    want!(world.control.replace("victim", &memory, length) == Ok(()));
    want!(world.victim.version()? == 2 && world.victim.count()? == before + 1);
    // Whoever gave it may change his own.
    memory.write(0, &[0; 64]).map_err(|_| "no memory")?;
    want!(world.control.tell(Kill { service: "victim" }).is_ok());
    want!(world.victim.version()? == 2);
    want!(world.control.replace("victim", &memory, length) == Err(Failure::Invalid));
    want!(world.control.replace("victim", &memory, 1 << 40) == Err(Failure::Invalid));
    want!(world.victim.version()? == 2 && world.victim.count()? == before + 2);
    want!(world.state("victim")? == ("runs".into(), lives + 2));
    Ok(())
}

fn start_and_stop(world: &World) -> Result {
    let start = |device, words| world.control.start("victims", device, words);
    let stop = |name| world.control.tell(Stop { service: name }).err();
    want!(world.control.start("victim", "a", "") == Err(Failure::NotFound));
    want!(start("a", "word=x") == Err(Failure::Invalid));
    let first = start("a", "word=7,ro").map_err(|_| "no first")?;
    let second = start("b", "").map_err(|_| "no second")?;
    want!(start("a", "") == Err(Failure::Exists));
    let leak = |port| Victim(Box::leak(Box::new(port)));
    let (first, second) = (leak(first), leak(second));
    want!(first.word()? == 7 && second.word()? == 0);
    want!(first.count()? == 1 && first.count()? == 2 && second.count()? == 1);
    want!(world.control.tell(Kill { service: "victims:a" }).is_ok());
    want!(first.count()? == 3);
    want!(stop("victims:a").is_none() && stop("victims:a").is_some());
    while world.state("victims:a").is_ok() {
        time::nap();
    }
    want!(first.ask_once(0, 0, time::now() + time::SECOND) == Err(Error::PeerGone));
    // The other is not disturbed, and the first can begin again, with nothing.
    want!(second.count()? == 2);
    let first = leak(start("a", "").map_err(|_| "no third")?);
    want!(first.count()? == 1 && first.word()? == 0);
    want!(stop("victims:a").is_none());
    // It is there until the machine ends, and saves what it has then.
    want!(second.count()? == 3);
    Ok(())
}

/// What is written while there is no driver comes out when there is one.
fn console_goes_on(world: &World) -> Result {
    let client = console::Client::open(&world.grants).map_err(|_| "no console")?;
    let client = client.ok_or("no console")?;
    let write = |text: &str| client.write(text.as_bytes()).is_ok_and(|count| count == text.len());
    for round in [&b"1"[..], b"2", b"3"] {
        let round = str::from_utf8(round).unwrap_or("");
        want!(write("round "));
        let (_, lives) = world.state("console")?;
        want!(world.control.tell(Kill { service: "console" }).is_ok());
        want!(write(round) && write(" of the console\r\n"));
        let end = time::now() + 5 * time::SECOND;
        while client.pending() != Ok(0) {
            want!(time::now() < end);
            time::nap();
        }
        want!(world.state("console")? == ("runs".into(), lives + 1));
        want!(world.control.tell(Hurt { service: "console", how: "spurious" }).is_ok());
    }
    Ok(())
}
