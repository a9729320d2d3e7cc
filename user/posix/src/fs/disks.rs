//! Disks and their partitions as files of `/dev`. Which there are is found out beside all else, for a disk may
//! take its time. What one of them has in it, a service tells that is started when somebody opens it.

use super::dev::number;
use super::remote::Remote;
use super::{Inode, New};
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
use core::cell::RefCell;
use linux_raw_sys::general::S_IFBLK;
use rt::abi::PortRights;
use rt::sync::Lock;
use rt::thread::{self, Options};
use services::Control;
use services::control::Operation;

/// The kind of service that a disk is opened with.
const KIND: &str = "disk";
/// Names of disks begin so; the rest is a letter or a digit. With it, the major number, the minor numbers of
/// one, and what comes between its name and the number of a partition.
const NAMES: [(&str, u32, u32, &str); 2] = [("vd", 254, 16, ""), ("mmcblk", 179, 8, "p")];

/// Disks and partitions: those that are known, and those that are open.
#[derive(Default)]
pub struct Disks {
    names: RefCell<BTreeMap<u64, String>>,
    open: RefCell<BTreeMap<u64, Weak<Inode>>>,
    found: Arc<Lock<Vec<(String, u64)>>>,
}

impl Disks {
    /// Finds out which there are.
    pub fn look(server: &'static Server) -> Result<()> {
        let Ok(control) = server.control() else { return Ok(()) };
        let list = control.ask(Operation::List, &[])?;
        let names = list.lines().filter_map(|line| line.split(' ').next()).map(String::from);
        let disks: Vec<_> = names.filter_map(|name| Some((device(&name)?, name))).collect();
        if disks.is_empty() {
            return Ok(());
        }
        let (found, port) =
            (server.disks.found.clone(), server.port.duplicate(PortRights::SIGNAL)?);
        let look = move || {
            for ((device, before), name) in disks {
                let parts = partitions(control, &name)
                    .into_iter()
                    .map(|part| (format!("{name}{before}{part}"), device + u64::from(part)));
                found.lock().extend(parts);
                found.lock().push((name, device));
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
        for (name, device) in self.found.lock().drain(..) {
            let new = New {
                name: name.as_bytes(),
                mode: S_IFBLK | 0o660,
                uid: 0,
                gid: 0,
                device,
                target: b"",
            };
            // Whoever has made it before has made it.
            let _ = dev.directory()?.create(&dev, &new);
            self.names.borrow_mut().insert(device, name);
        }
        Ok(())
    }
}

/// The number of a disk, if that is its name, and what comes before the number of a partition.
fn device(name: &str) -> Option<(u64, &'static str)> {
    NAMES.iter().find_map(|&(prefix, major, minors, before)| {
        let &[which] = name.strip_prefix(prefix)?.as_bytes() else { return None };
        let nth = match which {
            b'a'..=b'z' => which - b'a',
            b'0'..=b'9' => which - b'0',
            _ => return None,
        };
        Some((number(major, u32::from(nth) * minors), before))
    })
}

/// The numbers of a disk's partitions.
fn partitions(control: Control<'static>, name: &str) -> Vec<u8> {
    let Ok((port, memory)) = control.disk(name, 1) else { return Vec::new() };
    let of = String::from(name);
    let complain = move || _ = control.ask(Operation::Complain, &[&of]);
    let Ok(mut client) = Client::new(port, &memory, complain) else { return Vec::new() };
    let all = (0..).map_while(|nth| client.partition(nth).ok().flatten());
    all.map(|partition| partition.number).collect()
}

/// Opens one.
pub fn open(call: &Call, device: u64) -> Result<Rc<dyn File>> {
    let disks = &call.server.disks;
    let known = disks.open.borrow().get(&device).and_then(Weak::upgrade);
    if let Some(inode) = known {
        return Ok(Rc::new(RegularFile(inode)));
    }
    let name = disks.names.borrow().get(&device).cloned().ok_or(Errno::ENXIO)?;
    let inode = Remote::mount(call.server, device, || start_service(call.server, KIND, &name, ""))?;
    disks.open.borrow_mut().insert(device, Rc::downgrade(&inode));
    Ok(Rc::new(RegularFile(inode)))
}
