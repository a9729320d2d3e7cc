//! The services that this server and the others run on: the supervisor knows how they are, and does to them
//! what it is told.

use super::Subject;
use super::process::comm;
use crate::errno::{Errno, Result};
use crate::file::{File, Open};
use crate::fs::path::Last;
use crate::fs::{Inode, Regular};
use crate::process::Process;
use crate::time::SECOND;
use crate::user::{Buffer, Transfer};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use rt::abi::PAGE;
use services::control::{
    Caps, Complain, Failure, Hurt, Kill, List, Records, Recoveries, Restart, Top,
};

/// Bytes of an order.
const ORDER: usize = 512;
/// Bytes of a program that is to take the place of another.
const PROGRAM: u64 = 16 << 20;
/// Crash records that are shown.
const RECORDS: u64 = 16;

impl From<Failure> for Errno {
    fn from(failure: Failure) -> Errno {
        match failure {
            Failure::NotFound => Errno::ENOENT,
            Failure::Invalid => Errno::EINVAL,
            Failure::NotAllowed => Errno::EPERM,
            Failure::Exists => Errno::EBUSY,
            Failure::NoMemory => Errno::ENOMEM,
            // A service that does not run just now, as a rule.
            Failure::Failed => Errno::EAGAIN,
            Failure::OtherVersion => Errno::EIO,
        }
    }
}

/// A line for each service.
pub fn services(subject: &Subject) -> Result<Vec<u8>> {
    Ok(subject.server.control()?.ask(List {})?.into_bytes())
}

/// Who holds which handle to what.
pub fn caps(subject: &Subject) -> Result<Vec<u8>> {
    Ok(subject.server.control()?.ask(Caps {})?.into_bytes())
}

/// What each service has used, and each process of Linux: that has calls, which `posix` serves.
pub fn top(subject: &Subject) -> Result<Vec<u8>> {
    let mut text = subject.server.control()?.ask(Top {})?.into_bytes();
    for process in subject.server.processes() {
        let (Ok(info), Ok(command)) =
            (process.native.info(), comm(&Subject { pid: process.pid, ..*subject }))
        else {
            continue;
        };
        let name = format!("{}:{}", process.pid, String::from_utf8_lossy(&command).trim_end());
        let ran = format!("{}.{:06} s", info.ran / SECOND, info.ran % SECOND / 1000);
        let line = format!("{name:<16} {ran:>16} {:>10} {:>8} {:>8}\n", "-", info.used >> 10, 0);
        text.extend(line.bytes());
    }
    Ok(text)
}

/// How long each service took to serve again.
pub fn recoveries(subject: &Subject) -> Result<Vec<u8>> {
    Ok(subject.server.control()?.ask(Recoveries {})?.into_bytes())
}

/// The latest records of crashes.
pub fn crashes(subject: &Subject) -> Result<Vec<u8>> {
    Ok(subject.server.control()?.ask(Records { count: RECORDS })?.into_bytes())
}

/// The file that orders are written to, each with one call: `kill NAME`, `restart NAME`, `replace NAME FILE`,
/// `complain NAME`, `hurt NAME HOW`.
pub struct Orders(pub Subject);

impl Regular for Orders {
    fn size(&self) -> u64 {
        0
    }

    fn read(&self, _: u64, _: &mut Transfer<'_>) -> Result<()> {
        Ok(())
    }

    fn truncate(&self, _: u64) -> Result<()> {
        Ok(())
    }

    fn opened(&self, _: &Rc<Inode>) -> Option<Rc<dyn File>> {
        Some(Rc::new(OpenOrders(self.0)))
    }
}

/// The file, opened.
struct OpenOrders(Subject);

impl File for OpenOrders {
    fn read(&self, _: &Open, _: &mut u64, _: &mut Transfer<'_>) -> Result<()> {
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let mut bytes = alloc::vec![0; from.left.min(ORDER as u64) as usize];
        let process = from.process().ok_or(Errno::EINVAL)?;
        from.peek(&mut bytes)?;
        let text = core::str::from_utf8(&bytes).map_err(|_| Errno::EINVAL)?;
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        self.obey(process, &words)?;
        from.skip();
        Ok(())
    }
}

impl OpenOrders {
    fn obey(&self, process: &Process, words: &[&str]) -> Result<()> {
        let control = self.0.server.control()?;
        let told = match *words {
            ["kill", service] => control.tell(Kill { service }),
            ["restart", service] => control.tell(Restart { service }),
            ["complain", service] => control.tell(Complain { service }),
            ["hurt", service, how] => control.tell(Hurt { service, how }),
            ["replace", name, file] => return self.replace(process, name, file.as_bytes()),
            _ => return Err(Errno::EINVAL),
        };
        Ok(told?)
    }

    /// Has the program of a file take the place of a service's.
    fn replace(&self, process: &Process, name: &str, file: &[u8]) -> Result<()> {
        let ids = process.ids.borrow();
        let walker = super::links::walker(self.0.server, &ids);
        let inode = walker.walk(&process.current.borrow(), file, Last::Followed)?.inode()?;
        let regular = inode.regular()?;
        regular.prepare()?;
        let mut bytes = alloc::vec![0; regular.size().min(PROGRAM) as usize];
        let mut transfer = Transfer::new(Buffer::Own(&mut bytes));
        while transfer.left > 0 {
            let (left, done) = (transfer.left, transfer.done);
            regular.read(done, &mut transfer)?;
            // It may have moved a part only.
            transfer.left = left - (transfer.done - done);
            if transfer.done == done {
                return Err(Errno::EIO);
            }
        }
        let program = rt::Memory::create((bytes.len() as u64).div_ceil(PAGE).max(1))?;
        program.write(0, &bytes)?;
        Ok(self.0.server.control()?.replace(name, &program, bytes.len() as u64)?)
    }
}
