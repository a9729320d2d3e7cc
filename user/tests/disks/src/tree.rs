//! A tree of files that is made and unmade while its server and the disk's driver are killed again and
//! again; in the end there is one that the host knows.

use crate::driver::Driver;
use crate::served::Served;
use crate::storm::Random;
use crate::{Wrong, check};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use files::requests::{Create, Lookup, Read, Release, Rename, Stat, Sync, Unlink, Write};
use files::{Attributes, DIRECTORY, Failure, MOST, Node, REGULAR, ROOT, Request, Tells};
use rt::files::{Files, Words};
use rt::time::{now, sleep};
use rt::{Port, println, thread};

/// How often somebody is killed, where the command line does not say.
const KILLS: u64 = 100;
/// How long both live at most, in nanoseconds.
const LIFE: u64 = 6_000_000;
/// Files of the tree, how many are in a directory, and bytes of one at most.
const FILES: u64 = 40;
const EACH: u64 = 8;
const LARGEST: u64 = 90_000;
/// Requests that write 4 MiB.
const WRITES: u64 = (4 << 20) / MOST as u64;
/// When all of it happens.
const NOW: i64 = 1_700_000_000_000_000_000;

/// A client of a file system.
struct Client {
    port: Port,
    number: u64,
}

impl Client {
    fn ask(&mut self, request: Request) -> Result<Tells, Wrong> {
        self.number += 1;
        let number = if request.changes() { self.number } else { 0 };
        let slow = || println!("a request takes long");
        Ok(request.stamped(number, NOW).ask(&self.port, slow)?)
    }

    fn node(&mut self, request: Request) -> Result<Node, Wrong> {
        Ok(self.ask(request)?.attributes()?.node)
    }

    fn create(&mut self, parent: Node, name: &str, mode: u32) -> Result<Node, Wrong> {
        let attributes = Attributes { mode: mode | 0o755, ..Attributes::default() };
        let name = name.as_bytes();
        self.node(Request::of(Create { directory: parent, attributes, name, target: b"" }))
    }

    fn write(&mut self, node: Node, bytes: &[u8]) -> Result<(), Wrong> {
        let mut at = 0;
        while at < bytes.len() {
            let piece = &bytes[at..bytes.len().min(at + MOST)];
            let write = Request::of(Write { file: node, place: at as u64 }).with(piece);
            at += self.ask(write)?.count as usize;
        }
        Ok(())
    }

    fn read(&mut self, node: Node) -> Result<Vec<u8>, Wrong> {
        let mut all = Vec::new();
        loop {
            let read = Request::of(Read { file: node, place: all.len() as u64 }).room(MOST);
            let told = self.ask(read)?;
            if told.bytes.is_empty() {
                return Ok(all);
            }
            all.extend(told.bytes);
        }
    }

    fn remove(&mut self, parent: Node, name: &str) -> Result<(), Wrong> {
        let (directory, name) = (parent, name.as_bytes());
        let node = match self.node(Request::of(Lookup { directory, name })) {
            Err(Wrong::Files(Failure::NotFound)) => return Ok(()),
            node => node?,
        };
        self.ask(Request::of(Unlink { directory, name }))?;
        self.ask(Request::of(Release { file: node })).map(|_| ())
    }
}

/// What is in a file.
fn content(nth: u64) -> Vec<u8> {
    let length = nth * 7919 % LARGEST;
    let words = (0..length.div_ceil(8)).map(|word| Random(nth << 32 | word).next());
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length as usize);
    bytes
}

fn directory(nth: u64) -> String {
    format!("Directory number {}", nth / EACH)
}

/// The name that a file gets, and the one that it has in the end.
fn names(nth: u64) -> (String, String) {
    let first = format!("A file with the number {nth}.bin");
    let last = if nth.is_multiple_of(3) { format!("RENAMED.{nth}") } else { first.clone() };
    (first, last)
}

/// Makes the tree, and looks whether it is as it was made.
fn make(client: &mut Client) -> Result<(), Wrong> {
    let mut made = Vec::new();
    for nth in 0..FILES {
        if nth.is_multiple_of(EACH) {
            made.push((client.create(ROOT, &directory(nth), DIRECTORY)?, Vec::new()));
        }
        let Some((parent, nodes)) = made.last_mut() else { continue };
        let (first, last) = names(nth);
        let node = client.create(*parent, &first, REGULAR)?;
        client.write(node, &content(nth))?;
        nodes.push(node);
        if first != last {
            let (name, new) = (first.as_bytes(), last.as_bytes());
            client.ask(Request::of(Rename { from: *parent, to: *parent, name, new }))?;
        }
        if nth.is_multiple_of(7) {
            client.ask(Request::of(Sync {}))?;
        }
    }
    let nodes = made.into_iter().flat_map(|(_, nodes)| nodes);
    for (nth, node) in (0..).zip(nodes) {
        check(client.read(node)? == content(nth), "a file has what was written to it")?;
        client.ask(Request::of(Release { file: node }))?;
    }
    Ok(())
}

/// Removes all of it.
fn unmake(client: &mut Client) -> Result<(), Wrong> {
    for nth in (0..FILES).step_by(EACH as usize) {
        let parent = client
            .node(Request::of(Lookup { directory: ROOT, name: directory(nth).as_bytes() }))?;
        for nth in nth..FILES.min(nth + EACH) {
            client.remove(parent, &names(nth).1)?;
        }
        client.remove(ROOT, &directory(nth))?;
    }
    Ok(())
}

pub fn storm(driver: &mut Driver, programs: &Files, words: &Words) -> Result<(), Wrong> {
    let program = programs.program(words.get("program").unwrap_or("fat"));
    let program = program.ok_or(Wrong::That("there is the file system's program"))?;
    let mut served = Served::start(program, driver)?;
    let (end, wrong) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut client = Client { port: served.connection()?, number: 0 };
    let (its_end, its_wrong) = (end.clone(), wrong.clone());
    let worker = thread::spawn(thread::Options::default(), move || {
        let mut rounds = 0;
        let result = loop {
            match make(&mut client) {
                Ok(()) if its_end.load(Relaxed) => break Ok(()),
                done => {
                    if let Err(wrong) = done.and_then(|()| unmake(&mut client)) {
                        break Err(wrong);
                    }
                }
            }
            rounds += 1;
        };
        let result = result.and_then(|()| client.ask(Request::of(Sync {})));
        println!("{rounds} trees, {} requests", client.number);
        if let Err(what) = result {
            println!("client: {what:?}");
            its_wrong.store(true, Relaxed);
        }
        its_end.store(true, Relaxed);
    })?;
    let mut looks = Client { port: served.connection()?, number: 0 };
    let mut random = Random(words.number("seed").unwrap_or(1));
    let mut pauses = Vec::new();
    for _ in 0..words.number("count").unwrap_or(KILLS) {
        sleep(random.below(LIFE));
        let (what, began) = (random.below(3), now());
        if what != 1 {
            served.kill(driver)?;
        }
        if what != 0 {
            driver.kill()?;
            driver.start_another()?;
        }
        let stat = Request::of(Stat { file: ROOT });
        looks.ask(stat)?;
        pauses.push(now() - began);
    }
    end.store(true, Relaxed);
    worker.join();
    check(!wrong.load(Relaxed), "all that was asked for was done")?;
    pauses.sort_unstable();
    if let Some(longest) = pauses.last() {
        println!("recovery: half in {} ns, all in {longest}", pauses[pauses.len() / 2]);
    }
    Ok(())
}

/// What a file of 16 MiB costs, that the host put there: its server, the driver, the kernel and this.
pub fn figures(driver: &Driver, programs: &Files, words: &Words) -> Result<(), Wrong> {
    let name = words.get("program").unwrap_or("fat");
    let program = programs.program(name).ok_or(Wrong::That("there is the program"))?;
    let mut served = Served::start(program, driver)?;
    let mut client = Client { port: served.connection()?, number: 0 };
    let node = client.node(Request::of(Lookup { directory: ROOT, name: b"large.bin" }))?;
    for what in ["cold", "again"] {
        let (began, mut at) = (now(), 0);
        loop {
            let read = Request::of(Read { file: node, place: at }).room(MOST);
            let told = client.ask(read)?.bytes.len() as u64;
            if told == 0 {
                break;
            }
            at += told;
        }
        println!("bench {name}-read-16m-{what} {} ns for {at} bytes", now() - began);
    }
    let bytes = alloc::vec![7; MOST];
    let large = client.create(ROOT, "written", REGULAR)?;
    let began = now();
    for nth in 0..WRITES {
        let write = Request::of(Write { file: large, place: nth * MOST as u64 }).with(&bytes);
        check(client.ask(write)?.count == MOST as u64, "all of it is written")?;
    }
    client.ask(Request::of(Sync {}))?;
    println!("bench {name}-write-4m {}", now() - began);
    let mut taken = [0; 11];
    for taken in &mut taken {
        let began = now();
        client.ask(Request::of(Read { file: node, place: 0 }).room(4096))?;
        *taken = now() - began;
    }
    taken.sort_unstable();
    println!("bench {name}-read-4k-cached {}", taken[taken.len() / 2]);
    for taken in &mut taken {
        let began = now();
        served.kill(driver)?;
        client.ask(Request::of(Stat { file: node }))?;
        *taken = now() - began;
    }
    taken.sort_unstable();
    println!("bench {name}-recovery {}", taken[taken.len() / 2]);
    Ok(())
}
