//! The records of services that went wrong, each as a file. Its name is when that was, since the machine began, and
//! the service; so the names are in the order of time.

use super::text::put_from;
use super::{Subject, number, services};
use crate::errno::{Errno, Result};
use crate::fs::{Directory, Entry, Inode, Kind, Meta, Regular};
use crate::time;
use crate::user::Transfer;
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use linux_raw_sys::general::S_IFREG;

/// How a record begins, and how the line with its time does.
const SERVICE: &str = "service ";
const TIME: &str = "time ";
/// Characters of a time, to the microsecond, in a name.
const WIDTH: usize = 13;

/// The directory.
pub struct Crashes {
    pub subject: Subject,
    pub above: Option<Rc<Inode>>,
    pub number: u64,
}

/// A record.
struct Record {
    name: String,
    /// Nanoseconds since the machine began.
    time: i64,
    text: String,
}

impl Crashes {
    /// All that there are, the latest first.
    fn records(&self) -> Result<Vec<Record>> {
        let text = String::from_utf8(services::crashes(&self.subject)?).map_err(|_| Errno::EIO)?;
        let starts = text.match_indices(SERVICE).map(|(at, _)| at);
        let starts = starts.filter(|&at| at == 0 || text[..at].ends_with("\n\n"));
        let starts: Vec<usize> = starts.chain([text.len()]).collect();
        let texts = starts.windows(2).map(|ends| text[ends[0]..ends[1]].trim_end());
        Ok(texts.filter_map(Record::of).collect())
    }
}

impl Record {
    fn of(text: &str) -> Option<Record> {
        let line = |head| text.lines().find_map(|line| line.strip_prefix(head)).map(str::trim);
        let seconds = line(TIME)?.strip_suffix(" s")?;
        let (whole, micros) = seconds.split_once('.')?;
        let micros = whole.parse::<i64>().ok()? * 1_000_000 + micros.parse::<i64>().ok()?;
        let name = format!("{seconds:0>WIDTH$}-{}", line(SERVICE)?);
        Some(Record { name, time: micros * 1000, text: format!("{text}\n") })
    }
}

impl Directory for Crashes {
    fn lookup(&self, name: &[u8]) -> Result<Rc<Inode>> {
        let found = self.records()?.into_iter().find(|record| record.name.as_bytes() == name);
        let record = found.ok_or(Errno::ENOENT)?;
        let began = time::realtime() - rt::time::now() as i64;
        let at = began + record.time;
        let meta = Meta {
            mode: Cell::new(0o444),
            links: Cell::new(1),
            accessed: Cell::new(at),
            modified: Cell::new(at),
            changed: Cell::new(at),
            ..Meta::default()
        };
        let number = number(self.number, name);
        Ok(Rc::new(Inode::new(number, self.subject.device, meta, Kind::Regular(Box::new(record)))))
    }

    fn parent(&self) -> Option<Rc<Inode>> {
        self.above.clone()
    }

    fn entry(&self, place: u64) -> Result<Option<Entry>> {
        let records = self.records()?;
        Ok(records.get(place as usize).map(|record| Entry {
            number: number(self.number, record.name.as_bytes()),
            name: record.name.clone().into_bytes(),
            kind: S_IFREG,
            next: place + 1,
        }))
    }
}

impl Regular for Record {
    fn size(&self) -> u64 {
        self.text.len() as u64
    }

    fn read(&self, at: u64, to: &mut Transfer<'_>) -> Result<()> {
        put_from(self.text.as_bytes(), at, to)
    }
}
