//! `/proc`: what this server knows, as files. Everything is made when somebody looks; nothing is kept.
//!
//! * [`machine`]: files about the machine. [`cpu`]: those about its processors.
//! * [`process`]: files about a process. [`status`]: those about how it is. [`memory`]: its memory.
//! * [`links`]: symbolic links, descriptors among them. [`mounts`]: file systems.
//! * [`text`]: files that are texts.
//! * [`ochre`]: what this server does, and what it was asked for in vain. [`services`]: what it runs on.
//!   [`crash`]: what is left of those that went wrong.

mod cpu;
mod crash;
mod links;
mod machine;
mod memory;
mod mounts;
mod ochre;
mod process;
mod services;
mod status;
mod text;

use super::{Directory, Entry, Inode, Kind, Link, Meta, Reader};
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::process::{Process, Task};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use linux_raw_sys::general::{S_IFDIR, S_IFLNK, S_IFREG};

/// What a file is about.
#[derive(Clone, Copy)]
struct Subject {
    server: &'static Server,
    device: u64,
    /// The process, if it is about one.
    pid: u32,
    /// Its thread.
    tid: u32,
    /// Its descriptor.
    fd: u64,
}

impl Subject {
    fn process(&self) -> Result<Rc<Process>> {
        self.server.process(self.pid).ok_or(Errno::ESRCH)
    }

    /// The thread; none if it has ended.
    fn task(&self) -> Option<Rc<Task>> {
        self.server.task(self.tid)
    }

    fn open(&self) -> Result<Rc<Open>> {
        self.process()?.files.get(self.fd).map_err(|_| Errno::ENOENT)
    }
}

/// Something with a name.
struct Item {
    name: &'static [u8],
    mode: u32,
    what: What,
}

/// What it is.
#[derive(Clone, Copy)]
enum What {
    /// A file with this in it.
    Text(fn(&Subject) -> Result<Vec<u8>>),
    /// A file that is memory.
    Memory,
    /// A file that takes orders.
    Orders,
    /// The directory of crash records.
    Crashes,
    /// A directory of these, and of what has a number.
    Folder(&'static [Item], Numbered),
    /// A link to a path, which depends on who reads it.
    Path(fn(&Subject, Reader) -> Result<Vec<u8>>),
    /// A link to a file, whatever its path is.
    File(fn(&Subject) -> Result<Rc<Inode>>, fn(&Subject) -> Result<Vec<u8>>),
}

/// What has a number in a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbered {
    Nothing,
    Processes,
    Threads,
    Descriptors,
    DescriptorFacts,
}

const fn text(name: &'static [u8], make: fn(&Subject) -> Result<Vec<u8>>) -> Item {
    Item { name, mode: 0o444, what: What::Text(make) }
}

const fn folder(name: &'static [u8], items: &'static [Item], numbered: Numbered) -> Item {
    Item { name, mode: 0o555, what: What::Folder(items, numbered) }
}

const fn path(name: &'static [u8], target: fn(&Subject, Reader) -> Result<Vec<u8>>) -> Item {
    Item { name, mode: 0o777, what: What::Path(target) }
}

static ROOT: &[Item] = &[
    path(b"self", links::own_process),
    path(b"thread-self", links::own_thread),
    path(b"mounts", links::own_mounts),
    text(b"cmdline", machine::cmdline),
    text(b"cpuinfo", cpu::cpuinfo),
    text(b"filesystems", mounts::filesystems),
    text(b"loadavg", machine::loadavg),
    text(b"meminfo", machine::meminfo),
    text(b"modules", machine::modules),
    text(b"stat", machine::stat),
    text(b"uptime", machine::uptime),
    text(b"version", machine::version),
    folder(b"sys", SYS, Numbered::Nothing),
    folder(b"ochre", OCHRE, Numbered::Nothing),
];

static SYS: &[Item] = &[
    folder(b"kernel", KERNEL, Numbered::Nothing),
    folder(b"vm", &[text(b"overcommit_memory", machine::overcommit)], Numbered::Nothing),
];

static KERNEL: &[Item] = &[
    text(b"hostname", machine::hostname),
    text(b"osrelease", machine::osrelease),
    text(b"ostype", machine::ostype),
    text(b"pid_max", machine::pid_max),
    folder(b"random", &[text(b"uuid", machine::uuid)], Numbered::Nothing),
];

static OCHRE: &[Item] = &[
    text(b"caps", services::caps),
    Item { name: b"control", mode: 0o200, what: What::Orders },
    Item { name: b"crash", mode: 0o555, what: What::Crashes },
    text(b"crashes", services::crashes),
    text(b"figures", ochre::figures),
    text(b"heap", ochre::heap),
    text(b"log", ochre::log),
    text(b"machine", ochre::machine),
    text(b"memory", ochre::memory),
    text(b"recoveries", services::recoveries),
    text(b"services", services::services),
    text(b"syscalls", ochre::syscalls),
    text(b"top", services::top),
    text(b"unimplemented", ochre::unimplemented),
];

/// What a process has, and each of its threads.
macro_rules! of_thread {
    ($($more:expr),*) => {
        &[
            text(b"cmdline", process::cmdline),
            text(b"comm", process::comm),
            Item { name: b"auxv", mode: 0o400, what: What::Text(process::auxv) },
            Item { name: b"environ", mode: 0o400, what: What::Text(process::environ) },
            text(b"limits", process::limits),
            text(b"maps", process::maps),
            Item { name: b"mem", mode: 0o600, what: What::Memory },
            text(b"mountinfo", mounts::mountinfo),
            text(b"mounts", mounts::mounts),
            text(b"stat", status::stat),
            text(b"statm", status::statm),
            text(b"status", status::status),
            Item { name: b"cwd", mode: 0o777, what: What::File(links::cwd, links::cwd_path) },
            Item { name: b"exe", mode: 0o777, what: What::File(links::exe, links::exe_path) },
            Item { name: b"root", mode: 0o777, what: What::File(links::root, links::root_path) },
            Item { name: b"fd", mode: 0o500, what: What::Folder(&[], Numbered::Descriptors) },
            Item {
                name: b"fdinfo",
                mode: 0o500,
                what: What::Folder(&[], Numbered::DescriptorFacts),
            },
            $($more),*
        ]
    };
}

static PROCESS: &[Item] = of_thread!(folder(b"task", &[], Numbered::Threads));
static THREAD: &[Item] = of_thread!();

/// The root of the tree.
pub fn root(server: &'static Server, device: u64) -> Rc<Inode> {
    let subject = Subject { server, device, pid: 0, tid: 0, fd: 0 };
    inode(&subject, None, b"", 0o555, What::Folder(ROOT, Numbered::Processes))
}

/// A number that the same name in the same directory always has (FNV-1a).
fn number(above: u64, name: &[u8]) -> u64 {
    let start = above ^ 0xcbf2_9ce4_8422_2325;
    name.iter()
        .fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A file about a subject, in a directory.
fn inode(
    subject: &Subject,
    above: Option<&Rc<Inode>>,
    name: &[u8],
    mode: u32,
    what: What,
) -> Rc<Inode> {
    let number = number(above.map_or(0, |above| above.number), name);
    let (subject, above) = (*subject, above.cloned());
    let owner = subject.process().map_or((0, 0), |process| {
        let ids = process.ids.borrow();
        (ids.users[1], ids.groups[1])
    });
    let now = crate::time::stamp();
    let meta = Meta {
        mode: Cell::new(mode),
        uid: Cell::new(owner.0),
        gid: Cell::new(owner.1),
        links: Cell::new(if let What::Folder(..) | What::Crashes = what { 2 } else { 1 }),
        accessed: Cell::new(now),
        modified: Cell::new(now),
        changed: Cell::new(now),
    };
    let kind = match what {
        What::Text(make) => Kind::Regular(Box::new(text::Text { subject, make })),
        What::Memory => Kind::Regular(Box::new(memory::Memory(subject))),
        What::Orders => Kind::Regular(Box::new(services::Orders(subject))),
        What::Folder(items, numbered) => {
            Kind::Directory(Box::new(Folder { subject, above, number, items, numbered }))
        }
        What::Crashes => Kind::Directory(Box::new(crash::Crashes { subject, above, number })),
        What::Path(..) | What::File(..) => Kind::Link(Box::new(Pointer { subject, what })),
    };
    Rc::new(Inode::new(number, subject.device, meta, kind))
}

/// A directory.
struct Folder {
    subject: Subject,
    above: Option<Rc<Inode>>,
    number: u64,
    items: &'static [Item],
    numbered: Numbered,
}

impl Folder {
    /// What has a number, or the first that has a higher one.
    fn next(&self, number: u64) -> Option<u64> {
        let Subject { server, pid, .. } = self.subject;
        match self.numbered {
            Numbered::Nothing => None,
            Numbered::Processes => {
                let all = server.processes().into_iter().map(|process| process.pid.into());
                all.filter(|&pid| pid >= number).min()
            }
            Numbered::Threads => {
                let tasks = server.process(pid)?.tasks.borrow().clone();
                let all = tasks.iter().map(|task| u64::from(task.tid.get()));
                all.filter(|&tid| tid >= number).min()
            }
            Numbered::Descriptors | Numbered::DescriptorFacts => {
                let process = server.process(pid)?;
                (number..process.files.length()).find(|&fd| process.files.get(fd).is_ok())
            }
        }
    }

    /// What a number is.
    fn of_number(&self, number: u64) -> (Subject, u32, What) {
        let subject = self.subject;
        match self.numbered {
            Numbered::Nothing | Numbered::Processes => {
                let (pid, tid) = (number as u32, number as u32);
                (Subject { pid, tid, ..subject }, 0o555, What::Folder(PROCESS, Numbered::Nothing))
            }
            Numbered::Threads => {
                let what = What::Folder(THREAD, Numbered::Nothing);
                (Subject { tid: number as u32, ..subject }, 0o555, what)
            }
            Numbered::Descriptors => {
                let subject = Subject { fd: number, ..subject };
                (
                    subject,
                    links::mode(&subject),
                    What::File(links::descriptor, links::descriptor_path),
                )
            }
            Numbered::DescriptorFacts => {
                (Subject { fd: number, ..subject }, 0o400, What::Text(process::fdinfo))
            }
        }
    }

    /// This very directory, as those in it see it.
    fn itself(&self) -> Rc<Inode> {
        let meta = Meta { links: Cell::new(2), mode: Cell::new(0o555), ..Meta::default() };
        let Folder { subject, number, items, numbered, .. } = *self;
        let copy = Folder { subject, above: self.above.clone(), number, items, numbered };
        Rc::new(Inode::new(number, subject.device, meta, Kind::Directory(Box::new(copy))))
    }
}

impl Directory for Folder {
    fn lookup(&self, name: &[u8]) -> Result<Rc<Inode>> {
        let this = self.itself();
        if let Some(item) = self.items.iter().find(|item| item.name == name) {
            return Ok(inode(&self.subject, Some(&this), name, item.mode, item.what));
        }
        let number = decimal(name).filter(|&number| self.next(number) == Some(number));
        let (subject, mode, what) = self.of_number(number.ok_or(Errno::ENOENT)?);
        Ok(inode(&subject, Some(&this), name, mode, what))
    }

    fn parent(&self) -> Option<Rc<Inode>> {
        self.above.clone()
    }

    fn entry(&self, place: u64) -> Result<Option<Entry>> {
        let format = |what: What| match what {
            What::Text(_) | What::Memory | What::Orders => S_IFREG,
            What::Folder(..) | What::Crashes => S_IFDIR,
            What::Path(..) | What::File(..) => S_IFLNK,
        };
        let (name, what, next) = match self.items.get(place as usize) {
            Some(item) => (item.name.to_vec(), item.what, place + 1),
            None => {
                let number = self.next(place - self.items.len() as u64);
                let Some(number) = number else { return Ok(None) };
                let next = self.items.len() as u64 + number + 1;
                (alloc::format!("{number}").into_bytes(), self.of_number(number).2, next)
            }
        };
        let number = self::number(self.number, &name);
        Ok(Some(Entry { number, name, kind: format(what), next }))
    }
}

/// The number that digits mean, if there is one that is written so.
fn decimal(digits: &[u8]) -> Option<u64> {
    let number = core::str::from_utf8(digits).ok()?.parse::<u32>().ok()?;
    (alloc::format!("{number}").as_bytes() == digits).then_some(number.into())
}

/// A symbolic link.
struct Pointer {
    subject: Subject,
    what: What,
}

impl Link for Pointer {
    fn target(&self, reader: Reader) -> Result<Vec<u8>> {
        match self.what {
            What::Path(target) => target(&self.subject, reader),
            What::File(_, path) => path(&self.subject),
            _ => Err(Errno::EINVAL),
        }
    }

    fn follow(&self) -> Option<Result<Rc<Inode>>> {
        match self.what {
            What::File(file, _) => Some(file(&self.subject)),
            _ => None,
        }
    }
}
