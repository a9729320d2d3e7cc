//! The terminal of the machine.

use crate::errno::Result;
use crate::file::{File, Open};
use crate::fs::{Kind, dev};
use crate::process::Process;
use crate::server::Server;
use crate::user::Transfer;
use alloc::rc::Rc;
use linux_raw_sys::general::O_RDWR;
use rt::Port;

/// The terminal.
pub struct Console;

impl Console {
    pub fn open(_port: &Port) -> Result<Console> {
        Ok(Console)
    }

    pub fn open_terminal(&self, server: &'static Server) -> Result<Rc<Open>> {
        Ok(Open::new(
            Rc::new(Terminal),
            server.anonymous(Kind::Character(dev::number(5, 1)), 0o600),
            O_RDWR,
        ))
    }

    pub fn interrupt(&self, _server: &Server) {}

    pub fn session_ends(&self, _server: &Server, _leader: &Process) {}
}

struct Terminal;

impl File for Terminal {
    fn read(&self, _: &Open, _: &mut u64, _: &mut Transfer<'_>) -> Result<()> {
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let mut buffer = [0; 128];
        while from.left > 0 {
            let count = from.take(&mut buffer)?;
            rt::print!("{}", alloc::string::String::from_utf8_lossy(&buffer[..count]));
        }
        Ok(())
    }
}
