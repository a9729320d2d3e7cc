//! Pairs of terminals: the line discipline, without lines, job control, and the end of either side.

use crate::sys::{close, close_all, exit, fork, nap, text, value, wait};
use crate::{check, sys};
use libc::*;
use std::ffi::CString;

pub fn run() {
    opening();
    settings();
    lines();
    editing();
    showing();
    no_lines();
    flow();
    ends();
    jobs();
}

/// A pair: the master, and the slave, which never waits.
struct Pair {
    master: isize,
    slave: isize,
}

const NO_WAIT: i32 = O_RDWR | O_NOCTTY | O_NONBLOCK;

fn slave_path(master: isize) -> CString {
    let mut number = 0u32;
    sys!(SYS_ioctl, master, TIOCGPTN, &mut number);
    CString::new(format!("/dev/pts/{number}")).unwrap_or_default()
}

impl Pair {
    fn new() -> Pair {
        let master = sys!(SYS_openat, AT_FDCWD, c"/dev/ptmx", NO_WAIT);
        sys!(SYS_ioctl, master, TIOCSPTLCK, &0i32);
        let slave = sys!(SYS_openat, AT_FDCWD, slave_path(master).as_c_str(), NO_WAIT);
        Pair { master, slave }
    }

    /// Changes the settings.
    fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        sys!(SYS_ioctl, self.slave, TCGETS, &mut settings);
        change(&mut settings);
        sys!(SYS_ioctl, self.slave, TCSETS, &settings);
    }

    fn types(&self, bytes: &[u8]) {
        sys!(SYS_write, self.master, bytes, bytes.len());
        nap(20);
    }

    /// Types something, then prints what is seen of it, and what can be read.
    fn round(&self, what: &str, bytes: &[u8]) {
        self.types(bytes);
        println!("{what}: seen {}, read {}", seen(self.master), seen(self.slave));
    }

    fn close(self) {
        close_all(&[self.slave, self.master]);
    }
}

/// `struct termios`.
#[repr(C)]
#[derive(Default)]
struct Settings {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    line: u8,
    chars: [u8; 19],
}

/// What a read gives: bytes, or an error.
fn seen(fd: isize) -> String {
    let mut bytes = [0u8; 256];
    match sys!(SYS_read, fd, &mut bytes, 256) {
        count @ 0.. => format!("{:?}", bytes[..count as usize].escape_ascii().to_string()),
        error => text(error),
    }
}

fn opening() {
    let master = sys!(SYS_openat, AT_FDCWD, c"/dev/ptmx", NO_WAIT);
    let path = slave_path(master);
    let mut locked = 9u32;
    check!("TIOCGPTLCK", SYS_ioctl, master, TIOCGPTLCK, &mut locked);
    value("locked", locked);
    check!("open of a locked slave", SYS_openat, AT_FDCWD, path.as_c_str(), NO_WAIT);
    check!("TIOCSPTLCK", SYS_ioctl, master, TIOCSPTLCK, &0i32);
    check!("read before there is a slave", SYS_read, master, &mut [0u8; 8], 8);
    let slave = sys!(SYS_openat, AT_FDCWD, path.as_c_str(), NO_WAIT);
    check!("TIOCGPTN of the slave", SYS_ioctl, slave, TIOCGPTN, &mut locked);
    check!("lseek", SYS_lseek, slave, 0, SEEK_SET);
    check!("pread64", SYS_pread64, slave, &mut [0u8; 8], 8, 0);
    check!("an unknown ioctl", SYS_ioctl, slave, 0x54ff, 0);
    let mut window = [9u16; 4];
    check!("TIOCGWINSZ", SYS_ioctl, slave, TIOCGWINSZ, &mut window);
    value("the window", window);
    check!("TIOCSWINSZ", SYS_ioctl, master, TIOCSWINSZ, &[24u16, 80, 0, 0]);
    check!("TIOCGWINSZ", SYS_ioctl, slave, TIOCGWINSZ, &mut window);
    value("the window", window);
    check!("TCGETS of a pipe", SYS_ioctl, crate::sys::pipe()[0], TCGETS, &mut window);
    close_all(&[slave, master]);
    check!("open of a slave that is gone", SYS_openat, AT_FDCWD, path.as_c_str(), NO_WAIT);
}

fn settings() {
    let pair = Pair::new();
    let mut found = Settings::default();
    check!("TCGETS", SYS_ioctl, pair.slave, TCGETS, &mut found);
    println!("{:#x} {:#x} {:#x} {:#x}", found.input, found.output, found.control, found.local);
    value("characters", found.chars);
    found.chars[VMIN] = 7;
    check!("TCSETSF", SYS_ioctl, pair.slave, TCSETSF, &found);
    check!("TCGETS of the master", SYS_ioctl, pair.master, TCGETS, &mut found);
    value("VMIN", found.chars[VMIN]);
    check!("TCSBRK", SYS_ioctl, pair.slave, TCSBRK, 1);
    check!("TCFLSH unknown", SYS_ioctl, pair.slave, TCFLSH, 9);
    check!("TCXONC unknown", SYS_ioctl, pair.slave, TCXONC, 9);
    pair.close();
}

fn lines() {
    let pair = Pair::new();
    pair.round("nothing", b"");
    pair.round("no line", b"abc");
    pair.round("its end", b"def\n");
    pair.round("a return", b"abc\r");
    pair.round("the end", b"\x04");
    pair.round("an end without a line's", b"abc\x04");
    pair.types(b"one\ntwo\nthr");
    let mut waiting = 0i32;
    check!("FIONREAD", SYS_ioctl, pair.slave, FIONREAD, &mut waiting);
    value("bytes", waiting);
    let mut bytes = [0u8; 16];
    check!("read of 2", SYS_read, pair.slave, &mut bytes, 2);
    check!("read of the rest", SYS_read, pair.slave, &mut bytes, 16);
    check!("read of another line", SYS_read, pair.slave, &mut bytes, 16);
    check!("read of no line", SYS_read, pair.slave, &mut bytes, 16);
    check!("TCFLSH", SYS_ioctl, pair.slave, TCFLSH, TCIFLUSH);
    seen(pair.master);
    pair.round("after it", b"x\n");
    pair.types(b"abc\x04");
    check!("read of as many as there are", SYS_read, pair.slave, &mut bytes, 3);
    check!("read of none", SYS_read, pair.slave, &mut bytes, 3);
    pair.set(|settings| settings.input = 0);
    seen(pair.master);
    pair.round("a return that is kept", b"abc\rdef\n");
    pair.set(|settings| settings.input = IGNCR | INLCR);
    pair.round("a return that is not, an end that is one", b"a\rb\nc\x04");
    pair.close();
}

fn editing() {
    let pair = Pair::new();
    pair.round("VERASE", b"abx\x7fc\n");
    pair.round("VERASE of nothing", b"\x7fa\n");
    pair.round("VERASE of a control character", b"a\x01\x7fb\n");
    pair.round("VERASE of a tab", b"ab\t\x7fc\n");
    pair.round("VERASE of a tab after others", b"a\tb\t\x7f\x7fc\n");
    pair.round("VERASE of half a character", b"a\xc3\xa4\x7fb\n");
    pair.set(|settings| settings.input |= IUTF8);
    pair.round("VERASE of a character", b"a\xc3\xa4\x7fb\n");
    pair.round("VWERASE", b"one two \x17three\n");
    pair.round("VWERASE of what is no word", b"one ../\x17two\n");
    pair.round("VKILL", b"one\x15two\n");
    pair.round("VREPRINT", b"one\x12two\n");
    pair.round("VLNEXT", b"a\x16\x03b\x16\x7fc\n");
    pair.set(|settings| settings.chars[VEOL] = b';');
    pair.round("VEOL", b"one;two\n");
    pair.set(|settings| settings.local &= !(ECHOE | ECHOKE));
    pair.round("VERASE without ECHOE", b"abx\x7fc\n");
    pair.round("VKILL without ECHOKE", b"one\x15two\n");
    pair.set(|settings| settings.local &= !(ECHOK | ECHOCTL));
    pair.round("VKILL without ECHOK", b"one\x15two\n");
    pair.round("a control character without ECHOCTL", b"a\x01b\n");
    pair.set(|settings| settings.local &= !(ECHO | IEXTEN));
    pair.round("without ECHO", b"abx\x7fc\n");
    pair.round("VWERASE without IEXTEN", b"one two\x17three\n");
    pair.set(|settings| settings.local |= ECHONL);
    pair.round("with ECHONL", b"abc\n");
    pair.close();
}

fn showing() {
    let pair = Pair::new();
    let shows = |what: &str, bytes: &[u8]| {
        let count = sys!(SYS_write, pair.slave, bytes, bytes.len());
        nap(20);
        println!("{what}: wrote {}, seen {}", text(count), seen(pair.master));
    };
    shows("ONLCR", b"one\ntwo\r\n");
    pair.set(|settings| settings.output |= TAB3 as u32);
    shows("TAB3", b"a\tbcd\te\x08\tf\n");
    pair.set(|settings| settings.output = OPOST | ONOCR | OCRNL);
    shows("ONOCR and OCRNL", b"\rabc\r\n");
    pair.set(|settings| settings.output = OPOST | ONLRET);
    shows("ONLRET", b"abc\n\r");
    pair.set(|settings| settings.output = ONLCR);
    shows("without OPOST", b"one\ntwo\t");
    pair.close();
}

fn no_lines() {
    let pair = Pair::new();
    pair.types(b"abc");
    pair.set(|settings| settings.local &= !(ICANON | ECHO));
    println!("what was typed before: seen {}, read {}", seen(pair.master), seen(pair.slave));
    pair.round("a byte", b"x");
    pair.round("bytes with a meaning", b"\x04\x7f\x15\n");
    pair.set(|settings| settings.chars[VMIN] = 3);
    let mut polls = [pollfd { fd: pair.slave as i32, events: POLLIN, revents: 0 }];
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    pair.types(b"ab");
    check!("ppoll with too little", SYS_ppoll, &mut polls, 1, &now, 0, 8);
    pair.types(b"c");
    check!("ppoll with enough", SYS_ppoll, &mut polls, 1, &now, 0, 8);
    pair.round("VMIN 3", b"d");
    pair.set(|settings| (settings.chars[VMIN], settings.chars[VTIME]) = (0, 0));
    pair.round("VMIN 0", b"");
    sys!(SYS_fcntl, pair.slave, F_SETFL, O_RDWR);
    pair.set(|settings| (settings.chars[VMIN], settings.chars[VTIME]) = (0, 1));
    pair.round("VTIME", b"");
    pair.set(|settings| (settings.chars[VMIN], settings.chars[VTIME]) = (5, 1));
    pair.round("VTIME between bytes", b"ab");
    pair.set(|settings| (settings.chars[VMIN], settings.chars[VTIME]) = (2, 0));
    pair.round("VMIN 2", b"abc");
    pair.types(b"typed");
    pair.set(|settings| settings.local |= ICANON);
    sys!(SYS_fcntl, pair.slave, F_SETFL, O_RDWR | O_NONBLOCK);
    println!("with lines again: read {}", seen(pair.slave));
    pair.round("another", b"abc\n");
    pair.close();
}

fn flow() {
    let pair = Pair::new();
    pair.types(b"\x13");
    nap(100);
    check!("write after VSTOP", SYS_write, pair.slave, b"abc".as_slice(), 3);
    pair.types(b"\x11");
    nap(100);
    check!("write after VSTART", SYS_write, pair.slave, b"abc".as_slice(), 3);
    nap(20);
    println!("seen {}", seen(pair.master));
    check!("TCXONC TCOOFF", SYS_ioctl, pair.slave, TCXONC, TCOOFF);
    check!("write after it", SYS_write, pair.slave, b"abc".as_slice(), 3);
    check!("TCXONC TCOON", SYS_ioctl, pair.slave, TCXONC, TCOON);
    check!("write after it", SYS_write, pair.slave, b"abc".as_slice(), 3);
    nap(20);
    println!("seen {}", seen(pair.master));
    check!("TCXONC TCIOFF", SYS_ioctl, pair.slave, TCXONC, TCIOFF);
    nap(20);
    println!("seen {}", seen(pair.master));
    pair.set(|settings| settings.input &= !IXON);
    pair.round("without IXON", b"a\x13b\x11\n");
    pair.close();
}

fn ends() {
    let events = |fd: isize| {
        let mut polls = [pollfd { fd: fd as i32, events: POLLIN | POLLOUT, revents: 0 }];
        sys!(SYS_ppoll, &mut polls, 1, &timespec { tv_sec: 0, tv_nsec: 0 }, 0, 8);
        polls[0].revents
    };
    let pair = Pair::new();
    value("ready, both open", (events(pair.master), events(pair.slave)));
    sys!(SYS_write, pair.slave, b"last".as_slice(), 4);
    close(pair.slave);
    value("ready, without a slave", events(pair.master));
    println!("read {}, then {}", seen(pair.master), seen(pair.master));
    let slave = sys!(SYS_openat, AT_FDCWD, slave_path(pair.master).as_c_str(), NO_WAIT);
    println!("read with a slave again: {}", seen(pair.master));
    close(pair.master);
    value("ready, without a master", events(slave));
    println!("read {}", seen(slave));
    check!("write", SYS_write, slave, b"x".as_slice(), 1);
    check!("TCGETS", SYS_ioctl, slave, TCGETS, &mut Settings::default());
    close(slave);
}

fn jobs() {
    let pair = Pair::new();
    let mut number = 0i32;
    check!("TIOCGPGRP of what controls nothing", SYS_ioctl, pair.slave, TIOCGPGRP, &mut number);
    let child = fork();
    if child == 0 {
        check!("TIOCSCTTY of one that leads nothing", SYS_ioctl, pair.slave, TIOCSCTTY, 0);
        sys!(SYS_setsid);
        check!("open of /dev/tty without a terminal", SYS_openat, AT_FDCWD, c"/dev/tty", O_RDWR);
        check!("TIOCSCTTY", SYS_ioctl, pair.slave, TIOCSCTTY, 0);
        check!("TIOCSCTTY again", SYS_ioctl, pair.slave, TIOCSCTTY, 0);
        let me = sys!(SYS_getpid) as i32;
        check!("TIOCGPGRP", SYS_ioctl, pair.slave, TIOCGPGRP, &mut number);
        value("the group", number == me);
        check!("TIOCGSID", SYS_ioctl, pair.slave, TIOCGSID, &mut number);
        value("the session", number == me);
        check!("TIOCSPGRP of nobody", SYS_ioctl, pair.slave, TIOCSPGRP, &99_999i32);
        check!("TIOCSPGRP of another session", SYS_ioctl, pair.slave, TIOCSPGRP, &1i32);
        let tty = sys!(SYS_openat, AT_FDCWD, c"/dev/tty", NO_WAIT);
        value("/dev/tty", tty >= 0);
        background(&pair);
        interrupts(&pair);
        sys!(SYS_rt_sigprocmask, SIG_BLOCK, &(1u64 << (SIGHUP - 1) | 1 << (SIGWINCH - 1)), 0, 8);
        sys!(SYS_ioctl, pair.master, TIOCSWINSZ, &[1u16, 2, 3, 4]);
        check!("SIGWINCH", SYS_rt_sigtimedwait, &(1u64 << (SIGWINCH - 1)), 0, &SECOND, 8);
        close(pair.master);
        check!("SIGHUP", SYS_rt_sigtimedwait, &(1u64 << (SIGHUP - 1)), 0, &SECOND, 8);
        check!("read of /dev/tty after it", SYS_read, tty, &mut [0u8; 8], 8);
        exit(0);
    }
    // Only the child has the master now.
    pair.close();
    value("status", wait(child));
}

const SECOND: timespec = timespec { tv_sec: 1, tv_nsec: 0 };

/// What a group in the background is kept from.
fn background(pair: &Pair) {
    let child = fork();
    if child == 0 {
        sys!(SYS_setpgid, 0, 0);
        sys!(SYS_read, pair.slave, &mut [0u8; 8], 8);
        exit(1);
    }
    let mut status = 0;
    sys!(SYS_wait4, child, &mut status, WUNTRACED, 0);
    value("a read", (WIFSTOPPED(status), WSTOPSIG(status) == SIGTTIN));
    sys!(SYS_kill, child, SIGKILL);
    wait(child);
    let child = fork();
    if child == 0 {
        sys!(SYS_setpgid, 0, 0);
        let write = sys!(SYS_write, pair.slave, b"x".as_slice(), 1);
        sys!(SYS_rt_sigprocmask, SIG_BLOCK, &(1u64 << (SIGTTOU - 1) | 1 << (SIGTTIN - 1)), 0, 8);
        check!("a write", SYS_write, pair.slave, b"x".as_slice(), 1);
        check!("a read that does not want to stop", SYS_read, pair.slave, &mut [0u8; 8], 8);
        exit((write != 1) as i32);
    }
    value("the writer", wait(child));
    let child = fork();
    if child == 0 {
        sys!(SYS_setpgid, 0, 0);
        pair.set(|_| {});
        exit(1);
    }
    sys!(SYS_wait4, child, &mut status, WUNTRACED, 0);
    value("TCSETS", (WIFSTOPPED(status), WSTOPSIG(status) == SIGTTOU));
    sys!(SYS_kill, child, SIGKILL);
    wait(child);
    seen(pair.master);
}

/// What the keys do to a group in the foreground.
fn interrupts(pair: &Pair) {
    for (key, name) in [(3u8, "VINTR"), (0x1c, "VQUIT"), (0x1a, "VSUSP")] {
        let child = fork();
        if child == 0 {
            (0..10).for_each(|_| nap(500));
            exit(1);
        }
        sys!(SYS_setpgid, child, child);
        sys!(SYS_ioctl, pair.slave, TIOCSPGRP, &child);
        pair.types(b"lost");
        pair.types(&[key]);
        let mut status = 0;
        sys!(SYS_wait4, child, &mut status, WUNTRACED, 0);
        let how = (WIFSIGNALED(status), WIFSTOPPED(status), status & 0x7f, status >> 8 & 0xff);
        sys!(SYS_kill, child, SIGKILL);
        wait(child);
        sys!(SYS_rt_sigprocmask, SIG_BLOCK, &(1u64 << (SIGTTOU - 1)), 0, 8);
        sys!(SYS_ioctl, pair.slave, TIOCSPGRP, &(sys!(SYS_getpid) as i32));
        println!("{name}: {how:?}, seen {}, read {}", seen(pair.master), seen(pair.slave));
    }
}
