//! Pairs of terminals whose master is told what happens to the slave, and what else terminals do beside
//! passing bytes on.

use crate::sys::{close, close_all, fork, nap, text, value, wait};
use crate::{check, sys};
use libc::*;
use std::ffi::CString;

const NO_WAIT: i32 = O_RDWR | O_NOCTTY | O_NONBLOCK;
const TIOCGPKT: u32 = 0x8004_5438;

fn pair() -> [isize; 2] {
    let master = sys!(SYS_openat, AT_FDCWD, c"/dev/ptmx", NO_WAIT);
    let mut number = 0u32;
    sys!(SYS_ioctl, master, TIOCGPTN, &mut number);
    sys!(SYS_ioctl, master, TIOCSPTLCK, &0i32);
    let path = CString::new(format!("/dev/pts/{number}")).unwrap_or_default();
    [master, sys!(SYS_openat, AT_FDCWD, path.as_c_str(), NO_WAIT)]
}

fn seen(fd: isize) -> String {
    nap(30);
    let mut bytes = [0u8; 64];
    match sys!(SYS_read, fd, &mut bytes, 64) {
        count @ 0.. => format!("{:?}", bytes[..count as usize].escape_ascii().to_string()),
        error => text(error),
    }
}

fn ready(fd: isize) -> i16 {
    nap(30);
    let mut polls = [pollfd { fd: fd as i32, events: POLLIN | POLLPRI | POLLOUT, revents: 0 }];
    sys!(SYS_ppoll, &mut polls, 1, &timespec { tv_sec: 0, tv_nsec: 0 }, 0, 8);
    polls[0].revents
}

/// `struct termios` as words and characters.
fn set(slave: isize, how: u32, change: impl FnOnce(&mut [u32; 4], &mut [u8; 20])) -> isize {
    let mut settings = ([0u32; 4], [0u8; 20]);
    sys!(SYS_ioctl, slave, TCGETS, &mut settings);
    change(&mut settings.0, &mut settings.1);
    sys!(SYS_ioctl, slave, how, &settings)
}

pub fn run() {
    packets();
    input();
    waiting();
}

fn packets() {
    let [master, slave] = pair();
    let mut on = 9u32;
    check!("TIOCGPKT", SYS_ioctl, master, TIOCGPKT, &mut on);
    value("packets", on);
    check!("TIOCPKT of the slave", SYS_ioctl, slave, TIOCPKT, &1i32);
    check!("TIOCPKT with a bad address", SYS_ioctl, master, TIOCPKT, crate::sys::BAD);
    check!("TIOCPKT", SYS_ioctl, master, TIOCPKT, &1i32);
    check!("TIOCGPKT", SYS_ioctl, master, TIOCGPKT, &mut on);
    value("packets", on);
    value("ready for nothing", ready(master));
    println!("nothing: {}", seen(master));
    sys!(SYS_write, slave, b"hello".as_slice(), 5);
    value("ready for data", ready(master));
    println!("data: {}", seen(master));
    sys!(SYS_write, slave, b"hello".as_slice(), 5);
    nap(30);
    check!("read of one byte", SYS_read, master, &mut [0u8; 1], 1);
    println!("the rest: {}", seen(master));
    for (name, what) in [("TCIFLUSH", TCIFLUSH), ("TCOFLUSH", TCOFLUSH), ("TCIOFLUSH", TCIOFLUSH)] {
        sys!(SYS_ioctl, slave, TCFLSH, what);
        println!("{name}: ready {}, {}, then {}", ready(master), seen(master), seen(master));
    }
    for (name, what) in [("TCOOFF", TCOOFF), ("TCOON", TCOON)] {
        sys!(SYS_ioctl, slave, TCXONC, what);
        println!("{name}: ready {}, {}", ready(master), seen(master));
    }
    for (name, byte) in [("VSTOP", 0x13u8), ("VSTART", 0x11)] {
        sys!(SYS_write, master, &byte, 1);
        println!("{name}: ready {}, {}", ready(master), seen(master));
    }
    set(slave, TCSETS as u32, |words, _| words[0] &= !IXON);
    println!("without IXON: {}", seen(master));
    set(slave, TCSETS as u32, |words, _| words[0] |= IXON);
    println!("with IXON: {}", seen(master));
    set(slave, TCSETS as u32, |_, bytes| bytes[1 + VSTOP] = b'x');
    println!("another VSTOP: {}", seen(master));
    set(slave, TCSETS as u32, |words, _| words[3] &= !ECHO);
    println!("without ECHO: {}", seen(master));
    set(slave, TCSETSF as u32, |_, _| {});
    println!("TCSETSF: {}", seen(master));
    sys!(SYS_write, slave, b"last".as_slice(), 4);
    nap(30);
    sys!(SYS_ioctl, slave, TCXONC, TCOOFF);
    println!("both: {}, {}", seen(master), seen(master));
    check!("TIOCPKT off", SYS_ioctl, master, TIOCPKT, &0i32);
    sys!(SYS_ioctl, slave, TCXONC, TCOON);
    sys!(SYS_write, slave, b"plain".as_slice(), 5);
    println!("without packets: {}", seen(master));
    close_all(&[slave, master]);
}

/// What is typed by a program.
fn input() {
    let [master, slave] = pair();
    for byte in *b"abc\n" {
        check!("TIOCSTI", SYS_ioctl, slave, TIOCSTI, &byte);
    }
    println!("read {}, seen {}", seen(slave), seen(master));
    check!("TIOCSTI with a bad address", SYS_ioctl, slave, TIOCSTI, crate::sys::BAD);
    let child = fork();
    if child == 0 {
        sys!(SYS_setresuid, 1000, 1000, 1000);
        check!("TIOCSTI of anybody", SYS_ioctl, slave, TIOCSTI, b"x");
        sys!(SYS_setsid);
        check!("TIOCSCTTY", SYS_ioctl, slave, TIOCSCTTY, 0);
        check!("TIOCSTI to one's own", SYS_ioctl, slave, TIOCSTI, b"x");
        crate::sys::exit(0);
    }
    wait(child);
    close_all(&[slave, master]);
}

/// Nothing has to be waited for: what the master has not read is out.
fn waiting() {
    let [master, slave] = pair();
    sys!(SYS_write, slave, b"abc".as_slice(), 3);
    let mut left = 9i32;
    check!("TIOCOUTQ", SYS_ioctl, slave, TIOCOUTQ, &mut left);
    value("bytes", left);
    for (name, how) in [("TCSETSW", TCSETSW), ("TCSETSF", TCSETSF)] {
        println!("{name} = {}", text(set(slave, how as u32, |_, _| {})));
    }
    check!("TCSBRK", SYS_ioctl, slave, TCSBRK, 1);
    check!("TCSBRKP", SYS_ioctl, slave, TCSBRKP, 1);
    println!("seen {}", seen(master));
    close(master);
    println!("TCSETSW without a master = {}", text(set(slave, TCSETSW as u32, |_, _| {})));
    close(slave);
}
