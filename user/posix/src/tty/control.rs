//! `ioctl` of terminals.

use super::{Tty, jobs};
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::server::Call;
use crate::signal::send::send_to_group;
use linux_raw_sys::general::{
    SIGWINCH, TCIFLUSH, TCIOFF, TCIOFLUSH, TCION, TCOFLUSH, TCOOFF, TCOON, VSTART, VSTOP,
};
use linux_raw_sys::ioctl::{
    FIONREAD, TCFLSH, TCGETS, TCGETS2, TCSBRK, TCSBRKP, TCSETS, TCSETS2, TCSETSF, TCSETSF2,
    TCSETSW, TCSETSW2, TCXONC, TIOCGPGRP, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCOUTQ, TIOCSCTTY,
    TIOCSPGRP, TIOCSTI, TIOCSWINSZ,
};
use zerocopy::IntoBytes;

/// Bytes of `struct termios`, which lacks the speeds of `struct termios2`.
const SHORT: usize = 36;

/// What both sides of a terminal can do.
pub fn ioctl(call: &Call, _open: &Open, tty: &Tty, request: u32, argument: u64) -> Result {
    let process = call.process();
    match request {
        TCGETS | TCGETS2 => {
            let settings = tty.settings();
            let bytes = settings.as_bytes();
            let length = if request == TCGETS { SHORT } else { bytes.len() };
            process.put(argument, &bytes[..length])?;
        }
        TCSETS | TCSETSW | TCSETSF => {
            drained(call, tty, request != TCSETS)?;
            let mut settings = tty.settings();
            process.native.read(argument, &mut settings.as_mut_bytes()[..SHORT])?;
            tty.set(settings, request == TCSETSF);
        }
        TCSETS2 | TCSETSW2 | TCSETSF2 => {
            drained(call, tty, request != TCSETS2)?;
            tty.set(process.get(argument)?, request == TCSETSF2);
        }
        TIOCGWINSZ => process.put(argument, &tty.window.get())?,
        TIOCSWINSZ => {
            let window = process.get(argument)?;
            if tty.window.replace(window) != window {
                send_to_group(call.server, tty.group.get(), SIGWINCH);
            }
        }
        TIOCGPGRP | TIOCGSID => {
            if !tty.controls(process) {
                return Err(Errno::ENOTTY);
            }
            let which = if request == TIOCGPGRP { &tty.group } else { &tty.session };
            process.put(argument, &which.get())?;
        }
        TIOCSPGRP => return tty.set_foreground(call, process.get(argument)?),
        TIOCSCTTY => return tty.claim(call, argument == 1),
        TIOCNOTTY => return tty.give_up(call),
        TCFLSH => flush(call, tty, argument as u32)?,
        TCXONC => flow(call, tty, argument as u32)?,
        TCSBRK | TCSBRKP => drained(call, tty, true)?,
        TIOCSTI => {
            if !tty.controls(process) && !process.ids.borrow().is_root() {
                return Err(Errno::EPERM);
            }
            tty.receive(&[process.get::<u8>(argument)?]);
        }
        FIONREAD => {
            let length = tty.input.borrow().length(&tty.settings());
            process.put(argument, &(length as u32))?;
        }
        TIOCOUTQ => process.put(argument, &(tty.line.pending() as u32))?,
        _ => return Err(Errno::ENOTTY),
    }
    Ok(0)
}

/// Refuses who may not change the terminal now, and, if one waits, as long as something is on its way
/// out.
fn drained(call: &Call, tty: &Tty, waits: bool) -> Result<()> {
    jobs::admit_change(call, tty)?;
    if waits && tty.line.pending() > 0 { Err(Errno::EAGAIN) } else { Ok(()) }
}

fn flush(call: &Call, tty: &Tty, which: u32) -> Result<()> {
    jobs::admit_change(call, tty)?;
    if !matches!(which, TCIFLUSH | TCOFLUSH | TCIOFLUSH) {
        return Err(Errno::EINVAL);
    }
    if which != TCOFLUSH {
        tty.flush_input();
    }
    if which != TCIFLUSH {
        tty.flush_output();
    }
    tty.advance();
    Ok(())
}

/// Stops or starts what is written, or asks the other side to do so.
fn flow(call: &Call, tty: &Tty, what: u32) -> Result<()> {
    jobs::admit_change(call, tty)?;
    let settings = tty.settings();
    match what {
        TCOOFF | TCOON => tty.stop(what == TCOOFF),
        TCIOFF | TCION => {
            let place = if what == TCIOFF { VSTOP } else { VSTART };
            if tty.line.room() > 0 {
                tty.line.put(&[settings.chars[place as usize]]);
            }
        }
        _ => return Err(Errno::EINVAL),
    }
    tty.advance();
    Ok(())
}
