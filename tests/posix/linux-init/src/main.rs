//! The first process of the Linux that Ochre is compared with: mounts what programs expect, runs one
//! command with `sh -c`, sends its output over the console in frames, and switches the machine off.
//!
//! What is in `/.linux/modules` goes into the kernel first, in the order of the names.
//!
//! A frame is a line `out LENGTH` or `err LENGTH` and so many bytes; `@begin` comes before the first,
//! `end STATUS` is the last. tools/linux.py leaves the command in `/.linux/command`, what it reads
//! from in `/.linux/stdin`, and takes the frames apart again.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

const COMMAND: &str = "/.linux/command";
const STDIN: &str = "/.linux/stdin";
const MODULES: &str = "/.linux/modules";

fn main() {
    mount("devtmpfs", "/dev", "devtmpfs");
    mount("proc", "/proc", "proc");
    mount("sysfs", "/sys", "sysfs");
    fs::create_dir("/dev/pts")
        .and_then(|()| fs::create_dir("/dev/shm"))
        .expect("/dev can be written");
    mount("devpts", "/dev/pts", "devpts");
    mount("tmpfs", "/dev/shm", "tmpfs");
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        // Some kernels have made them.
        let _ =
            std::os::unix::fs::symlink(format!("/proc/self/fd{target}"), format!("/dev/{name}"));
    }
    load_modules().expect("the kernel takes its modules");
    let name = fs::read_to_string("/etc/hostname").unwrap_or_default();
    // SAFETY: the name is as long as is said.
    unsafe { libc::sethostname(name.trim().as_ptr().cast(), name.trim().len()) };
    let mut console = raw_console();
    console.write_all(b"@begin\n").expect("the console can be written");
    let status = run(&mut console).unwrap_or_else(|error| {
        let _ = frame(&mut console, "err", format!("linux-init: {error}\n").as_bytes());
        127
    });
    let _ = writeln!(console, "end {status}");
    switch_off(&console);
}

/// Gives the kernel its drivers.
fn load_modules() -> io::Result<()> {
    let mut paths = fs::read_dir(MODULES)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let file = File::open(&path)?;
        // SAFETY: the string ends with a zero, and the descriptor is open.
        let status =
            unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), c"".as_ptr(), 0) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn mount(source: &str, target: &str, kind: &str) {
    let [source, target, kind] =
        [source, target, kind].map(|text| CString::new(text).expect("no NUL"));
    // SAFETY: the strings live until the call returns; no data is passed.
    let result = unsafe {
        libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), 0, std::ptr::null())
    };
    assert_eq!(result, 0, "mount {target:?}: {}", io::Error::last_os_error());
}

/// The console without the conversions of a terminal.
fn raw_console() -> File {
    let console =
        OpenOptions::new().read(true).write(true).open("/dev/console").expect("a console");
    // SAFETY: a termios is plain integers, and both calls only use it while they last.
    unsafe {
        let mut modes: libc::termios = std::mem::zeroed();
        libc::tcgetattr(console.as_raw_fd(), &mut modes);
        libc::cfmakeraw(&mut modes);
        libc::tcsetattr(console.as_raw_fd(), libc::TCSANOW, &modes);
    }
    console
}

/// Runs the command to its end. What it leaves in its pipes is sent, what its orphans write later is
/// not.
fn run(console: &mut File) -> io::Result<i32> {
    let command = fs::read_to_string(COMMAND)?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", &command])
        .env_clear()
        .envs([("PATH", "/bin"), ("HOME", "/root"), ("LC_ALL", "C"), ("PWD", "/")])
        .stdin(File::open(STDIN)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    // The tree is to look as it does on Ochre.
    fs::remove_dir_all("/.linux")?;
    fs::remove_file("/init")?;
    let ended = send(&mut child, console)?;
    Ok(ended.code().unwrap_or_else(|| 128 + ended.signal().unwrap_or(0)))
}

/// Sends both pipes as they fill, until the child has ended and they are empty.
fn send(child: &mut Child, console: &mut File) -> io::Result<std::process::ExitStatus> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let end = pidfd(child)?;
    let mut over = false;
    loop {
        let fds = [fd_of(&out), fd_of(&err), if over { -1 } else { end.as_raw_fd() }];
        let [out_ready, err_ready, ended] = poll(fds, if over { 0 } else { -1 })?;
        if over && !out_ready && !err_ready {
            return child.wait();
        }
        over |= ended;
        if out_ready {
            pump(&mut out, "out", console)?;
        }
        if err_ready {
            pump(&mut err, "err", console)?;
        }
    }
}

/// Sends what one read gives; a pipe that has ended is closed.
fn pump(pipe: &mut Option<impl Read>, name: &str, console: &mut File) -> io::Result<()> {
    let mut buffer = [0; 65536];
    let length = pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut buffer))?;
    if length == 0 {
        *pipe = None;
        return Ok(());
    }
    frame(console, name, &buffer[..length])
}

fn frame(console: &mut File, name: &str, bytes: &[u8]) -> io::Result<()> {
    writeln!(console, "{name} {}", bytes.len())?;
    console.write_all(bytes)
}

fn fd_of(pipe: &Option<impl AsRawFd>) -> RawFd {
    pipe.as_ref().map_or(-1, AsRawFd::as_raw_fd)
}

/// Which of the descriptors have something to say; -1 has not.
fn poll(fds: [RawFd; 3], timeout: i32) -> io::Result<[bool; 3]> {
    let mut polls = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: the array is as long as is said.
    if unsafe { libc::poll(polls.as_mut_ptr(), 3, timeout) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(polls.map(|poll| poll.revents != 0))
}

fn pidfd(child: &Child) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

fn switch_off(console: &File) -> ! {
    // SAFETY: nothing is left to lose when the machine goes.
    unsafe {
        libc::tcdrain(console.as_raw_fd());
        libc::reboot(libc::RB_POWER_OFF);
    }
    unreachable!("Linux did not switch the machine off")
}
