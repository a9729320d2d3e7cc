//! What the system is, and what its processes have used.

use super::Process;
use crate::errno::{Errno, Result};
use crate::fs::dev::RANDOM_PIECE;
use crate::server::Call;
use crate::time::{SECOND, split};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use linux_raw_sys::general::{GRND_INSECURE, GRND_NONBLOCK, GRND_RANDOM};
use rt::abi::PAGE;
use services::control::Operation;
use zerocopy::IntoBytes;

/// The name of the system.
pub const SYSTEM: &str = "Linux";
/// The version of Linux that programs may believe to run on.
pub const RELEASE: &str = "6.1.0-ochre";
/// What is known of the build.
pub const VERSION: &str = concat!("#1 SMP Ochre ", env!("CARGO_PKG_VERSION"));
/// The architecture.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "x86_64") { "x86_64" } else { "aarch64" };
/// Bytes of a name in `struct utsname`.
const NAME: usize = 65;
/// The first argument of `reboot`, and those that may follow.
const REBOOT: u32 = 0xfee1_dead;
const REBOOT_TOO: [u32; 4] = [0x2812_1969, 0x0512_1996, 0x1604_1998, 0x2011_2000];
const POWER_OFF: u32 = 0x4321_fedc;
const HALT: u32 = 0xcdef_0123;
const RESTART: u32 = 0x0123_4567;
/// Nanoseconds of a clock tick, in which `times` counts.
pub const TICK: u64 = SECOND / 100;
/// Bytes of `getrandom` at most.
const RANDOM_MOST: u64 = 1 << 20;
/// Words of `struct rusage`.
const USAGE: usize = 18;

/// The names that can be changed: that of the machine, and that of its domain.
pub struct Names(RefCell<[Vec<u8>; 2]>);

impl Default for Names {
    fn default() -> Names {
        Names(RefCell::new([b"ochre".to_vec(), b"(none)".to_vec()]))
    }
}

impl Names {
    /// The name of the machine.
    pub fn host(&self) -> Vec<u8> {
        self.0.borrow()[0].clone()
    }
}

pub fn uname(call: &Call) -> Result {
    let [host, domain] = &*call.server.names.0.borrow();
    let own = [SYSTEM, RELEASE, VERSION, ARCHITECTURE].map(str::as_bytes);
    let names = [own[0], host, own[1], own[2], own[3], domain];
    let mut all = [[0; NAME]; 6];
    for (place, name) in all.iter_mut().zip(names) {
        place[..name.len()].copy_from_slice(name);
    }
    call.process().put(call.args[0], all.as_bytes()).map(|()| 0)
}

pub fn sethostname(call: &Call) -> Result {
    rename(call, 0)
}

pub fn setdomainname(call: &Call) -> Result {
    rename(call, 1)
}

fn rename(call: &Call, which: usize) -> Result {
    let [at, length, ..] = call.args;
    if !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    if !(0..NAME as i32).contains(&(length as i32)) {
        return Err(Errno::EINVAL);
    }
    let mut name = alloc::vec![0; length as i32 as usize];
    if !name.is_empty() {
        call.process().paid(|native| native.read(at, &mut name))?;
    }
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    name.truncate(end);
    call.server.names.0.borrow_mut()[which] = name;
    Ok(0)
}

pub fn reboot(call: &Call) -> Result {
    let [first, second, what, ..] = call.args.map(|word| word as u32);
    if !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    if first != REBOOT || !REBOOT_TOO.contains(&second) {
        return Err(Errno::EINVAL);
    }
    match what {
        // Whether the keyboard's three keys do it: there is nobody to ask.
        0 | 0x89ab_cdef => Ok(0),
        POWER_OFF | HALT => {
            call.server.finished(0);
            Ok(0)
        }
        RESTART => Ok(call.server.control()?.ask(Operation::Power, &["reboot"]).map(|_| 0)?),
        _ => Err(Errno::EINVAL),
    }
}

pub fn sysinfo(call: &Call) -> Result {
    let figures = rt::machine().figures()?;
    let processes = call.server.processes().len() as u64;
    let mut words = [0u64; 14];
    words[0] = rt::time::now() / SECOND;
    words[1..4].copy_from_slice(&call.server.averages());
    words[4] = figures.frames * PAGE;
    words[5] = figures.free * PAGE;
    words[10] = processes & 0xffff;
    // Sizes are in bytes.
    words[13] = 1;
    call.process().put(call.args[0], &words).map(|()| 0)
}

pub fn getrandom(call: &Call) -> Result {
    let [at, length, flags, ..] = call.args;
    let flags = flags as u32;
    let both = flags & GRND_RANDOM != 0 && flags & GRND_INSECURE != 0;
    if flags & !(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) != 0 || both {
        return Err(Errno::EINVAL);
    }
    let (mut done, length) = (0, length.min(RANDOM_MOST));
    while done < length {
        let mut piece = [0; RANDOM_PIECE];
        let piece = &mut piece[..(length - done).min(RANDOM_PIECE as u64) as usize];
        call.server.random.fill(piece);
        match call.process().put(at.wrapping_add(done), piece) {
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
            Ok(()) => done += piece.len() as u64,
        }
    }
    Ok(done)
}

/// Nanoseconds that a process and those of its children ran that it has waited for.
pub fn ran(process: &Process) -> [u64; 2] {
    let [own, children] = process.times.get();
    [own + process.ran(), children]
}

pub fn times(call: &Call) -> Result {
    let [own, children] = ran(call.process());
    call.process().put_if(call.args[0], &[own / TICK, 0, children / TICK, 0])?;
    Ok(rt::time::now() / TICK)
}

pub fn getrusage(call: &Call) -> Result {
    let [own, children] = ran(call.process());
    let time = match call.args[0] as i32 {
        0 => own,
        -1 => children,
        1 => call.task.thread.info()?.ran,
        _ => return Err(Errno::EINVAL),
    };
    put_usage(call.process(), call.args[1], time).map(|()| 0)
}

/// Writes a `struct rusage` of so many nanoseconds.
pub fn put_usage(process: &Process, at: u64, nanoseconds: u64) -> Result<()> {
    let mut usage = [0u64; USAGE];
    usage[..2].copy_from_slice(&split(nanoseconds, 1000));
    process.put(at, &usage)
}

/// The process of a number, 0 for the caller.
pub fn process_of(call: &Call, pid: u64) -> Result<Rc<Process>> {
    match pid as u32 {
        0 => Ok(call.task.process.clone()),
        pid if pid == call.process().pid => Ok(call.task.process.clone()),
        pid => call.server.process(pid).ok_or(Errno::ESRCH),
    }
}
