//! The terminal of the machine, and the list of all terminals.

use crate::errno::{Errno, Result};
use crate::file::{File, Open};
use crate::fs::dev;
use crate::process::Process;
use crate::server::Server;
use crate::tty::pair::Pairs;
use crate::tty::settings::Settings;
use crate::tty::{Line, Tty};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use console::Client;
use core::cell::Cell;
use linux_raw_sys::general::{CLOCAL, HUPCL, IUTF8, O_RDWR};
use rt::files::Words;

/// The device number of the console, and of whatever terminal a process has.
pub const DEVICE: u64 = dev::number(5, 1);
/// See above.
pub const OWN: u64 = dev::number(5, 0);
/// The device number that makes a new pair.
pub const NEW_PAIR: u64 = dev::number(5, 2);

/// Rows and columns of a terminal of which the word `window=` does not say how many it has.
const WINDOW: [u16; 2] = [24, 80];
/// How long the last bytes may take on their way out, in nanoseconds.
const FAREWELL: u64 = 2_000_000_000;

/// All terminals.
pub struct Console {
    tty: Rc<Tty>,
    wire: Rc<Wire>,
    /// Those that are not the machine's.
    pub pairs: Pairs,
}

/// What is behind the terminal of the machine.
enum Wire {
    /// The driver of the serial port.
    Driver(Client),
    /// There is no driver: what is written goes to the log, and nobody types.
    Log,
}

impl Line for Rc<Wire> {
    fn take(&self, bytes: &mut [u8]) -> usize {
        match &**self {
            Wire::Driver(client) => client.read(bytes).unwrap_or(0),
            Wire::Log => 0,
        }
    }

    fn room(&self) -> usize {
        match &**self {
            Wire::Driver(client) => client.room().unwrap_or(0),
            Wire::Log => 1 << 12,
        }
    }

    fn put(&self, bytes: &[u8]) {
        match &**self {
            // There is room; a driver that is gone has no use for the bytes.
            Wire::Driver(client) => drop(client.write(bytes)),
            Wire::Log => rt::print!("{}", String::from_utf8_lossy(bytes).replace('\r', "")),
        }
    }

    fn pending(&self) -> usize {
        match &**self {
            Wire::Driver(client) => client.pending().unwrap_or(0),
            Wire::Log => 0,
        }
    }
}

impl Console {
    /// That of a driver, if there is one.
    pub fn open(client: Option<Client>) -> Console {
        let wire = Rc::new(client.map_or(Wire::Log, Wire::Driver));
        let tty = Tty::new(Box::new(wire.clone()), window().unwrap_or(WINDOW));
        let settings = tty.settings();
        let (input, control) = (settings.input | IUTF8, settings.control | HUPCL | CLOCAL);
        tty.set(Settings { input, control, ..settings }, false);
        Console { tty, wire, pairs: Pairs::default() }
    }

    /// Opens it for the leader of a session, which it controls.
    pub fn open_terminal(&self, server: &'static Server, leader: u32) -> Result<Rc<Open>> {
        let dev = server.mounts.top(server.root.directory()?.lookup(b"dev")?);
        let inode = dev.directory()?.lookup(b"console")?;
        self.tty.control(leader, leader);
        let name = Some((dev, b"console".to_vec()));
        let (file, flags) = (self.tty.open(server), Cell::new(O_RDWR));
        Ok(Rc::new(Open { file, inode, flags, position: Cell::new(0), name }))
    }

    /// The terminal that controls a process's session.
    pub fn terminal_of(&self, process: &Process) -> Option<Rc<Tty>> {
        if self.tty.controls(process) {
            return Some(self.tty.clone());
        }
        self.pairs.find(|tty| tty.controls(process))
    }

    /// The driver has something to tell.
    pub fn interrupt(&self, _server: &Server) {
        self.tty.advance();
    }

    /// The leader of a session has ended.
    pub fn session_ends(&self, server: &Server, leader: &Process) {
        self.terminal_of(leader).inspect(|tty| tty.hang_up(server));
    }

    /// The driver, if there is one.
    pub fn driver(&self) -> Option<&Client> {
        match &*self.wire {
            Wire::Driver(client) => Some(client),
            Wire::Log => None,
        }
    }

    /// Waits until what was written is out, before everything ends.
    pub fn drain(&self) {
        let end = rt::time::now().saturating_add(FAREWELL);
        while self.wire.pending() > 0 && rt::time::now() < end {
            rt::time::nap();
        }
    }
}

/// Rows and columns, as the word `window=24x80` has them.
fn window() -> Option<[u16; 2]> {
    let words = Words::read();
    let (rows, columns) = words.get("window")?.split_once('x')?;
    let number = |text: &str| text.parse().ok().filter(|&number| number > 0);
    Some([number(rows)?, number(columns)?])
}

/// Opens a terminal by its number; none if it is another device.
pub fn open(call: &crate::server::Call, device: u64, flags: u32) -> Option<Result<Rc<dyn File>>> {
    let console = &call.server.console;
    let tty = match device {
        NEW_PAIR => return Some(console.pairs.open(call)),
        OWN => console.terminal_of(call.process()).ok_or(Errno::ENXIO),
        DEVICE => Ok(console.tty.clone()),
        _ => {
            let number = crate::tty::pair::number(device)?;
            let pair = console.pairs.get(number).ok_or(Errno::EIO);
            return Some(pair.and_then(|pair| pair.open_slave(call, flags)));
        }
    };
    Some(tty.map(|tty| {
        tty.opened_by(call, flags);
        tty.open(call.server) as Rc<dyn File>
    }))
}
