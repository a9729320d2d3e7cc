//! Addresses of sockets, and who has which.

use super::Socket;
use crate::errno::{Errno, Result};
use crate::fs::{Inode, Kind, New};
use crate::process::Process;
use crate::server::Call;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{AT_FDCWD, S_IFSOCK};
use linux_raw_sys::net::AF_UNIX;

/// Bytes of `sun_path`.
const PATH: usize = 108;
/// Names that are made up have five digits.
const MADE_UP: u32 = 0x10_0000;

/// An address.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Address {
    /// None.
    #[default]
    None,
    /// That of a file.
    Path(Vec<u8>),
    /// One without a file.
    Abstract(Vec<u8>),
}

/// Reads `struct sockaddr_un`.
pub fn read(process: &Process, at: u64, length: u64) -> Result<Address> {
    let length = length as u32 as usize;
    if !(2..=2 + PATH).contains(&length) {
        return Err(Errno::EINVAL);
    }
    let mut bytes = [0; 2 + PATH];
    process.native.read(at, &mut bytes[..length])?;
    if u16::from_ne_bytes([bytes[0], bytes[1]]) != AF_UNIX as u16 {
        return Err(Errno::EINVAL);
    }
    let name = &bytes[2..length];
    Ok(match name.split_first() {
        None => Address::None,
        Some((0, rest)) => Address::Abstract(rest.to_vec()),
        Some(_) => Address::Path(name.split(|&byte| byte == 0).next().unwrap_or(name).to_vec()),
    })
}

impl Address {
    /// Writes it as far as there is room, which is at `length`, where how long it is goes then.
    pub fn put(&self, process: &Process, at: u64, length: u64) -> Result<()> {
        if at == 0 {
            return Ok(());
        }
        let room = process.get::<i32>(length)?;
        let bytes = self.bytes();
        let fits = usize::try_from(room).map_err(|_| Errno::EINVAL)?.min(bytes.len());
        process.put(at, &bytes[..fits])?;
        process.put(length, &(bytes.len() as u32))
    }

    /// `struct sockaddr_un`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = (AF_UNIX as u16).to_ne_bytes().to_vec();
        match self {
            Address::None => {}
            Address::Path(path) => {
                bytes.extend_from_slice(path);
                bytes.push(0);
            }
            Address::Abstract(name) => {
                bytes.push(0);
                bytes.extend_from_slice(name);
            }
        }
        bytes
    }
}

/// Who has which address. A socket that has a file's keeps that, so that no other can be mistaken
/// for it.
#[derive(Default)]
pub struct Addresses {
    names: RefCell<BTreeMap<Vec<u8>, Weak<Socket>>>,
    files: RefCell<BTreeMap<usize, Weak<Socket>>>,
    next: Cell<u32>,
}

fn key(inode: &Rc<Inode>) -> usize {
    Rc::as_ptr(inode) as usize
}

impl Addresses {
    /// The socket at an address.
    pub fn find(&self, call: &Call, address: &Address) -> Result<Rc<Socket>> {
        let found = match address {
            Address::None => return Err(Errno::EINVAL),
            Address::Abstract(name) => self.names.borrow().get(name).and_then(Weak::upgrade),
            Address::Path(path) => {
                let from = call.process().directory(AT_FDCWD as u64, path)?;
                let inode = call.walk(&from, path, true)?.inode()?;
                inode.permit(&call.process().ids.borrow(), 2)?;
                self.files.borrow().get(&key(&inode)).and_then(Weak::upgrade)
            }
        };
        found.ok_or(Errno::ECONNREFUSED)
    }

    /// Gives a socket an address, one that is made up if it is to be none.
    pub fn bind(&self, call: &Call, socket: &Rc<Socket>, address: &Address) -> Result<()> {
        let is_bound = *socket.address.borrow() != Address::None;
        let name = match address {
            Address::Path(path) => return self.bind_file(call, socket, path),
            _ if is_bound => return Err(Errno::EINVAL),
            Address::Abstract(name) => name.clone(),
            Address::None => self.make_up()?,
        };
        let mut names = self.names.borrow_mut();
        if names.contains_key(&name) {
            return Err(Errno::EADDRINUSE);
        }
        names.insert(name.clone(), Rc::downgrade(socket));
        socket.address.replace(Address::Abstract(name));
        Ok(())
    }

    fn make_up(&self) -> Result<Vec<u8>> {
        let names = self.names.borrow();
        for _ in 0..MADE_UP {
            let number = self.next.replace((self.next.get() + 1) % MADE_UP);
            let name = format!("{number:05x}").into_bytes();
            if !names.contains_key(&name) {
                return Ok(name);
            }
        }
        Err(Errno::ENOSPC)
    }

    fn bind_file(&self, call: &Call, socket: &Rc<Socket>, path: &[u8]) -> Result<()> {
        let process = call.process();
        let from = process.directory(AT_FDCWD as u64, path)?;
        let found = call.walk(&from, path, false)?;
        if found.inode.is_some() {
            return Err(Errno::EADDRINUSE);
        }
        if *socket.address.borrow() != Address::None {
            return Err(Errno::EINVAL);
        }
        let ids = process.ids.borrow();
        found.parent.permit(&ids, 3)?;
        let mode = S_IFSOCK | 0o777 & !process.umask.get();
        let gid = found.parent.group_for(&ids);
        let new = New { name: &found.name, mode, uid: ids.fsuid, gid, device: 0, target: b"" };
        let inode = found.parent.directory()?.create(&found.parent, &new)?;
        if !matches!(inode.kind, Kind::Socket) {
            return Err(Errno::EPERM);
        }
        self.files.borrow_mut().insert(key(&inode), Rc::downgrade(socket));
        socket.file.replace(Some(inode));
        socket.address.replace(Address::Path(path.to_vec()));
        Ok(())
    }

    /// A socket is gone.
    pub fn forget(&self, socket: &Socket) {
        if let Some(inode) = socket.file.take() {
            self.files.borrow_mut().remove(&key(&inode));
        } else if let Address::Abstract(name) = &*socket.address.borrow() {
            let mut names = self.names.borrow_mut();
            // A socket that was accepted has the name of the one that listens.
            if names.get(name).is_some_and(|known| known.strong_count() == 0) {
                names.remove(name);
            }
        }
    }
}
