//! Disks and their partitions as files of `/dev`. Which there are is found out beside all else, for a disk may
//! take its time. What one of them has in it, a service tells that is started when somebody opens it.

use super::dev::number;
use super::remote::Remote;
use super::{Inode, Kind, New};
use crate::errno::{Errno, Result};
use crate::file::File;
use crate::file::mounts::start_service;
use crate::file::regular::RegularFile;
use crate::server::{Call, DISKS, Server};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use block::Client;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::S_IFBLK;
use rt::abi::PortRights;
use rt::sync::Lock;
use rt::thread::{self, Options};
use services::Control;
use services::control::Operation;

/// The kind of service that a disk is opened with.
const KIND: &str = "disk";
/// The major number of partitions that a disk has no minor numbers left for.
const MORE: u32 = 259;
/// Names of disks begin so; the rest is a letter or a digit. With it, the major number, the minor numbers of
/// one, and what comes between its name and the number of a partition.
const NAMES: [(&str, u32, u32, &str); 2] = [("vd", 254, 16, ""), ("mmcblk", 179, 8, "p")];

/// Disks and partitions: those that are known, and those that are open.
#[derive(Default)]
pub struct Disks {
    known: RefCell<BTreeMap<u64, Disk>>,
    open: RefCell<BTreeMap<u64, Weak<Inode>>>,
    found: Arc<Lock<Vec<(u64, Disk)>>>,
    /// All that there are are known.
    is_whole: Cell<bool>,
}

/// A disk, or a partition.
#[derive(Clone)]
pub struct Disk {
    pub name: String,
    /// It can only be read.
    pub is_read_only: bool,
}

impl Disks {
    /// Finds out which there are.
    pub fn look(server: &'static Server) -> Result<()> {
        let Ok(control) = server.control() else { return Ok(()) };
        let list = control.ask(Operation::List, &[])?;
        let names = list.lines().filter_map(|line| line.split(' ').next()).map(String::from);
        let disks: Vec<_> = names.filter_map(|name| Some((numbers(&name)?, name))).collect();
        if disks.is_empty() {
            return Ok(());
        }
        let (found, port) =
            (server.disks.found.clone(), server.port.duplicate(PortRights::SIGNAL)?);
        let look = move || {
            let mut more = 0..;
            for ((device, minors, before), name) in disks {
                let (is_read_only, parts) = contents(control, &name).unwrap_or_default();
                let parts = parts.into_iter().map(|part| {
                    let device = match u32::from(part) {
                        part if part < minors => device + u64::from(part),
                        _ => number(MORE, more.next().unwrap_or(0)),
                    };
                    (device, Disk { name: format!("{name}{before}{part}"), is_read_only })
                });
                found.lock().extend(parts);
                found.lock().push((device, Disk { name, is_read_only }));
            }
            // It is there as long as this server.
            let _ = port.signal(DISKS);
        };
        // It ends by itself.
        core::mem::forget(thread::spawn(Options::default(), look)?);
        Ok(())
    }

    /// Puts what was found into `/dev`.
    pub fn found(&self, server: &Server) -> Result<()> {
        let dev = server.root.directory()?.lookup(b"dev")?;
        let dev = server.mounts.top(dev);
        for (device, disk) in self.found.lock().drain(..) {
            let new = New {
                name: disk.name.as_bytes(),
                mode: S_IFBLK | 0o660,
                uid: 0,
                gid: 0,
                device,
                target: b"",
            };
            // Whoever has made it before has made it.
            let _ = dev.directory()?.create(&dev, &new);
            self.known.borrow_mut().insert(device, disk);
        }
        self.is_whole.set(true);
        Ok(())
    }

    /// The one with a number.
    pub fn get(&self, device: u64) -> Result<Disk> {
        self.known.borrow().get(&device).cloned().ok_or(Errno::ENXIO)
    }

    /// The one that a path leads to; who comes before all are known must know its name.
    pub fn at(&self, call: &Call, path: &[u8]) -> Result<Disk> {
        let from = call.process().current.borrow().clone();
        match call.walk(&from, path, true)?.inode() {
            Ok(inode) if let Kind::Block(device) = inode.kind => self.get(device),
            Ok(_) => Err(Errno::ENOTBLK),
            Err(Errno::ENOENT) if !self.is_whole.get() => {
                let name = path.strip_prefix(b"/dev/").and_then(|it| core::str::from_utf8(it).ok());
                let name = name.ok_or(Errno::ENOENT)?.into();
                Ok(Disk { name, is_read_only: false })
            }
            Err(error) => Err(error),
        }
    }
}

/// The number of a disk, if that is its name; how many it has for itself and its partitions; and what comes before
/// the number of one.
fn numbers(name: &str) -> Option<(u64, u32, &'static str)> {
    NAMES.iter().find_map(|&(prefix, major, minors, before)| {
        let &[which] = name.strip_prefix(prefix)?.as_bytes() else { return None };
        let nth = match which {
            b'a'..=b'z' => which - b'a',
            b'0'..=b'9' => which - b'0',
            _ => return None,
        };
        Some((number(major, u32::from(nth) * minors), minors, before))
    })
}

/// Whether a disk can only be read, and the numbers of its partitions.
fn contents(control: Control<'static>, name: &str) -> Option<(bool, Vec<u8>)> {
    let (port, memory) = control.disk(name, 1).ok()?;
    let of = String::from(name);
    let complain = move || _ = control.ask(Operation::Complain, &[&of]);
    let mut client = Client::new(port, &memory, complain).ok()?;
    let is_read_only = client.describe().ok()?.read_only;
    let all = (0..).map_while(|nth| client.partition(nth).ok().flatten());
    Some((is_read_only, all.map(|partition| partition.number).collect()))
}

/// Opens one.
pub fn open(call: &Call, device: u64) -> Result<Rc<dyn File>> {
    let disks = &call.server.disks;
    let known = disks.open.borrow().get(&device).and_then(Weak::upgrade);
    if let Some(inode) = known {
        return Ok(Rc::new(RegularFile(inode)));
    }
    let name = disks.get(device)?.name;
    let inode = Remote::mount(call.server, device, || start_service(call.server, KIND, &name, ""))?;
    disks.open.borrow_mut().insert(device, Rc::downgrade(&inode));
    Ok(Rc::new(RegularFile(inode)))
}
