//! What there is at the beginning: the files, the file systems over them, the first process.

use super::Server;
use crate::errno::{Errno, Result};
use crate::file::lock::Waits;
use crate::first;
use crate::fs::disks::Disks;
use crate::fs::limit::Limit;
use crate::fs::mount::{Mount, Mounts};
use crate::fs::room::Room;
use crate::fs::tmpfs::Tmpfs;
use crate::fs::{Inode, New, archive, dev, proc};
use crate::futex::Futexes;
use crate::later::Later;
use crate::process::info::Names;
use crate::process::load::Load;
use crate::process::quota::{self, Ending};
use crate::random::Random;
use crate::time::{self, timer::Schedule};
use crate::unknown::Unknown;
use crate::wait::{Clock, Ready};
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::S_IFDIR;
use rt::Start;
use rt::abi::PortRights;
use rt::service::Grants;
use services::Control;
use services::control::Complain;

/// The badge of calls and faults of guests.
const GUEST: u64 = 1;

impl Server {
    /// Makes the files, and the first process.
    pub fn boot(start: Start) -> Result<&'static Server> {
        let grants = Grants::read(&start);
        grants.find_client("clock").into_iter().for_each(time::begin);
        let supervisor = grants.find_client("supervisor");
        let random = Random::new(grants.find_client("random"), move || {
            // Whatever comes of it, it is asked again.
            _ = supervisor.map(|port| Control(port).tell(Complain { service: "random" }));
        })?;
        let port = grants.port();
        let handler = port.badged(PortRights::all() & !PortRights::RECEIVE, GUEST)?;
        let own = rt::process().info()?.quota;
        rt::heap::set_aside(quota::reserve(own) as usize / 4, quota::reserve(own) / 4);
        let room = Room::new()?;
        let root = Tmpfs::root(&room, 0o755, Limit::default())?;
        let (memory, length) = start.initrd.ok_or(Errno::ENOENT)?;
        archive::unpack(memory, length, &root)?;
        let (console, host) = first::streams(&grants)?;
        let server = Box::leak(Box::new(Server {
            port,
            handler,
            processes: RefCell::default(),
            tasks: RefCell::default(),
            next_pid: Cell::new(1),
            ready: Ready::default(),
            later: Later::default(),
            clock: Clock::default(),
            mounts: Mounts::default(),
            names: Names::default(),
            load: Load::default(),
            timers: Schedule::default(),
            futexes: Futexes::default(),
            ending: Ending::default(),
            room: room.clone(),
            root,
            paths: Default::default(),
            random,
            addresses: Default::default(),
            flights: Default::default(),
            console,
            host,
            lock_waits: Waits::default(),
            unknown: Unknown::default(),
            disks: Disks::default(),
            supervisor,
            next_anonymous: Cell::new(1),
            status: Cell::new(None),
        }));
        server.mount(
            b"dev",
            b"devtmpfs",
            Tmpfs::root(&room, 0o755, Limit::default())?,
            dev::populate,
        )?;
        server.mount(b"proc", b"proc", proc::root(server, room.number()), |_| Ok(()))?;
        server.mount(b"sys", b"sysfs", Tmpfs::root(&room, 0o555, Limit::default())?, |_| Ok(()))?;
        Disks::look(server)?;
        server.random.begin();
        first::start(server)?;
        Ok(server)
    }

    fn mount(
        &self,
        name: &[u8],
        kind: &[u8],
        root: Rc<Inode>,
        fill: impl Fn(&Rc<Inode>) -> Result<()>,
    ) -> Result<()> {
        let directory = self.root.directory()?;
        let covered = match directory.lookup(name) {
            Ok(inode) => inode,
            Err(_) => {
                let mode = S_IFDIR | 0o755;
                let new = New { name, mode, uid: 0, gid: 0, device: 0, target: b"" };
                directory.create(&self.root, &new)?
            }
        };
        fill(&root)?;
        let (source, kind) = (kind.to_vec(), kind.to_vec());
        self.mounts.add(Mount { covered, root, source, kind, flags: Cell::new(0) });
        Ok(())
    }
}
