//! Types at a program on a terminal of its own, and prints what is seen there.
//!
//! usage: typist PROGRAM [ARGUMENT...] <STEPS
//!
//! The program leads a session, whose terminal is the slave of a pair. Each line of the standard input
//! is a step: `type TEXT` types it, with `\r`, `\n`, `\t`, `\\` and `\xNN`; `see TEXT` waits until that was seen
//! after what was waited for before; `rest MILLISECONDS` lets time pass;
//! `end` waits for the end of the program. Carriage returns are not printed, and what is no text is
//! escaped.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long a step may take.
const LIMIT: Duration = Duration::from_secs(20);

struct Terminal {
    master: File,
    seen: Vec<u8>,
    /// What is behind this was not waited for.
    from: usize,
}

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [program, arguments @ ..] = words.as_slice() else {
        eprintln!("usage: typist PROGRAM [ARGUMENT...] <STEPS");
        std::process::exit(2);
    };
    let (mut terminal, slave) = Terminal::open()?;
    let mut child = start(program, arguments, slave)?;
    let mut result = "end".to_string();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (verb, text) = line.split_once(' ').unwrap_or((&line, ""));
        let done = match verb {
            "type" => terminal.master.write_all(&unescaped(text)).is_ok(),
            "see" => terminal.see(&unescaped(text))?,
            "rest" => terminal.rest(text.parse().unwrap_or(100))?,
            "end" => terminal.end(&mut child)?,
            _ => false,
        };
        if !done {
            result = format!("cannot: {line}");
            break;
        }
    }
    print(&terminal.seen);
    println!("{result}");
    // What is left of it goes with its terminal.
    drop(terminal);
    let status = child.wait()?;
    println!("status {}", status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
    Ok(())
}

/// Starts a program that leads a session at a terminal.
fn start(program: &str, arguments: &[String], slave: File) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
    // SAFETY: both calls may be made between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let none = std::ptr::null::<i32>();
            if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY as _, none) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        })
    };
    command.spawn()
}

impl Terminal {
    /// A pair: the master's side, and the slave.
    fn open() -> io::Result<(Terminal, File)> {
        let master = OpenOptions::new().read(true).write(true).open("/dev/ptmx")?;
        let fd = master.as_raw_fd();
        // SAFETY: the descriptor is open, and what is written to is as large as it must be.
        let slave = unsafe {
            let unlocked = 0i32;
            libc::ioctl(fd, libc::TIOCSPTLCK as _, &unlocked);
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK);
            libc::ioctl(fd, 0x5441u32 as _, libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC)
        };
        if slave < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it is new, and nobody else's.
        let slave = unsafe { File::from_raw_fd(slave) };
        Ok((Terminal { master, seen: Vec::new(), from: 0 }, slave))
    }

    /// Reads what there is; whether there may be more one day.
    fn read(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 4096];
        match self.master.read(&mut bytes) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.seen.extend_from_slice(&bytes[..count]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(2));
                Ok(true)
            }
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn see(&mut self, text: &[u8]) -> io::Result<bool> {
        let start = Instant::now();
        loop {
            let rest = &self.seen[self.from..];
            if let Some(at) = rest.windows(text.len()).position(|piece| piece == text) {
                self.from += at + text.len();
                return Ok(true);
            }
            if start.elapsed() > LIMIT || !self.read()? {
                return Ok(false);
            }
        }
    }

    fn rest(&mut self, milliseconds: u64) -> io::Result<bool> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(milliseconds) {
            self.read()?;
        }
        Ok(true)
    }

    /// Waits for the end of the program, and of what it has left on the terminal.
    fn end(&mut self, child: &mut Child) -> io::Result<bool> {
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            self.read()?;
            if start.elapsed() > LIMIT {
                return Ok(false);
            }
        }
        self.rest(50)
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut from) = (Vec::new(), text.bytes());
    while let Some(byte) = from.next() {
        bytes.push(match (byte, byte == b'\\') {
            (byte, false) => byte,
            _ => match from.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'x') => {
                    let digit = |byte: Option<u8>| {
                        (byte.unwrap_or(b'0') as char).to_digit(16).unwrap_or(0) as u8
                    };
                    16 * digit(from.next()) + digit(from.next())
                }
                Some(other) => other,
                None => b'\\',
            },
        });
    }
    bytes
}

fn print(seen: &[u8]) {
    for line in seen.split(|&byte| byte == b'\n') {
        let line: Vec<u8> = line.iter().copied().filter(|&byte| byte != b'\r').collect();
        println!("{}", line.escape_ascii());
    }
}
