//! Processes: making, replacing, ending and waiting for them.

use crate::sys::{BAD, close, exit, file, fork, in_child, nap, pipe, unlink_all, value, wait};
use crate::{check, sys};
use libc::*;
use std::ffi::CStr;

pub fn run() {
    ends();
    waiting();
    groups();
    making();
    replacing();
    descriptors();
}

fn ends() {
    value("exit_group 7", in_child(|| 7));
    value("exit_group 256", in_child(|| 256));
    value("exit of the last thread", in_child(|| sys!(SYS_exit, 9) as i32));
    for signal in [SIGTERM, SIGKILL, SIGABRT, SIGUSR1] {
        let status = in_child(|| sys!(SYS_kill, sys!(SYS_getpid), signal) as i32);
        value("killed", (WIFSIGNALED(status), WTERMSIG(status)));
    }
    let parent = sys!(SYS_getpid);
    value("getppid", in_child(|| (sys!(SYS_getppid) == parent) as i32));
    value("gettid of the first thread", sys!(SYS_gettid) == parent);
}

fn waiting() {
    let mut status = 0;
    check!("wait4 without children", SYS_wait4, -1, &mut status, 0, 0);
    check!("wait4 of nobody", SYS_wait4, 999_999, &mut status, 0, 0);
    check!("wait4 unknown flags", SYS_wait4, -1, &mut status, 64, 0);
    let [reader, writer] = pipe();
    let child = fork();
    if child == 0 {
        let mut byte = 0u8;
        sys!(SYS_read, reader, &mut byte, 1);
        exit(3);
    }
    check!("wait4 WNOHANG", SYS_wait4, child, &mut status, WNOHANG, 0);
    sys!(SYS_kill, child, SIGSTOP);
    value("wait4 WUNTRACED", sys!(SYS_wait4, child, &mut status, WUNTRACED, 0) == child as isize);
    value("stopped", (WIFSTOPPED(status), WSTOPSIG(status)));
    check!("wait4 WNOHANG of one that is stopped", SYS_wait4, child, &mut status, WNOHANG, 0);
    sys!(SYS_kill, child, SIGCONT);
    value("wait4 WCONTINUED", sys!(SYS_wait4, child, &mut status, WCONTINUED, 0) == child as isize);
    value("continued", WIFCONTINUED(status));
    sys!(SYS_write, writer, b"x".as_slice(), 1);
    // SAFETY: plain integers.
    let mut info: siginfo_t = unsafe { std::mem::zeroed() };
    check!("waitid WNOWAIT", SYS_waitid, P_PID, child, &mut info, WEXITED | WNOWAIT, 0);
    // SAFETY: it is a child's.
    value("what it says", (info.si_signo, info.si_code, unsafe { info.si_status() }));
    check!("kill of one that has ended", SYS_kill, child, 0);
    value(
        "wait4",
        (sys!(SYS_wait4, child, &mut status, 0, 0) == child as isize, WEXITSTATUS(status)),
    );
    check!("wait4 again", SYS_wait4, child, &mut status, 0, 0);
    check!("kill of one that is gone", SYS_kill, child, 0);
    check!("waitid of no kind", SYS_waitid, 9, 0, &mut info, WEXITED, 0);
    check!("waitid of no event", SYS_waitid, P_ALL, 0, &mut info, WNOHANG, 0);
    close(reader as isize);
    close(writer as isize);
    pidfds();
}

fn pidfds() {
    let child = fork();
    if child == 0 {
        nap(10);
        exit(4);
    }
    let fd = sys!(SYS_pidfd_open, child, 0);
    let mut polls = [pollfd { fd: fd as i32, events: POLLIN, revents: 0 }];
    check!("ppoll of a pidfd", SYS_ppoll, &mut polls, 1, 0, 0, 8);
    check!("pidfd_send_signal", SYS_pidfd_send_signal, fd, 0, 0, 0);
    // SAFETY: plain integers.
    let mut info: siginfo_t = unsafe { std::mem::zeroed() };
    check!("waitid P_PIDFD", SYS_waitid, P_PIDFD, fd, &mut info, WEXITED, 0);
    close(fd);
    check!("pidfd_open of nobody", SYS_pidfd_open, 999_999, 0);
    check!("pidfd_open of 0", SYS_pidfd_open, 0, 0);
    check!("pidfd_open unknown flags", SYS_pidfd_open, 1, 1);
    check!("pidfd_send_signal of no pidfd", SYS_pidfd_send_signal, 1, 0, 0, 0);
}

fn groups() {
    let first = fork();
    if first == 0 {
        nap(20);
        exit(1);
    }
    check!("setpgid of a child", SYS_setpgid, first, first);
    let second = fork();
    if second == 0 {
        exit(2);
    }
    let mut status = 0;
    value("wait4 of a group", sys!(SYS_wait4, -first, &mut status, 0, 0) == first as isize);
    value("its status", WEXITSTATUS(status));
    value("wait4 of one's own group", sys!(SYS_wait4, 0, &mut status, 0, 0) == second as isize);
    check!("kill of a group that is not there", SYS_kill, -999_999, 0);
}

fn making() {
    check!("clone of threads without their memory", SYS_clone, CLONE_THREAD, 0, 0, 0, 0);
    check!("clone of handlers without their memory", SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0);
    check!("clone CLONE_FS CLONE_NEWNS", SYS_clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0);
    check!("clone3 of a wrong size", SYS_clone3, BAD, 8);
    check!("clone3 bad address", SYS_clone3, BAD, 88);
    let mut cell = 5;
    let child = sys!(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, &mut cell, 0, 0);
    if child == 0 {
        exit(0);
    }
    value("CLONE_PARENT_SETTID", cell as isize == child);
    wait(child as i32);
}

fn exec(path: &CStr, words: &[&CStr], variables: &[&CStr]) -> isize {
    let list = |of: &[&CStr]| {
        of.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
    };
    let (words, variables) = (list(words), list(variables));
    sys!(SYS_execve, path, words.as_slice(), variables.as_slice())
}

fn replacing() {
    let run = |what: &str, path: &CStr| {
        let status = in_child(|| -exec(path, &[c"word"], &[]) as i32);
        value(what, crate::sys::text(-(WEXITSTATUS(status) as isize)));
    };
    let put = |name: &CStr, bytes: &[u8], mode: i32| {
        close(file(name, bytes));
        sys!(SYS_fchmodat, AT_FDCWD, name, mode);
    };
    put(c"empty", b"", 0o755);
    put(c"text", b"echo text\n", 0o755);
    put(c"plain", b"\x7fELF", 0o644);
    put(c"cut", b"\x7fELF\x02\x01\x01", 0o755);
    put(c"lost", b"#!/no/such/interpreter\n", 0o755);
    put(c"nothing", b"#!\n", 0o755);
    run("execve missing", c"missing");
    run("execve a directory", c".");
    run("execve an empty file", c"empty");
    run("execve a text", c"text");
    run("execve without the mode", c"plain");
    run("execve a cut ELF", c"cut");
    run("execve with no such interpreter", c"lost");
    run("execve with no interpreter", c"nothing");
    run("execve below a file", c"text/x");
    check!("execve bad address", SYS_execve, BAD, 0, 0);
    check!("execve words at a bad address", SYS_execve, c"/bin/true", BAD, 0);
    check!("execveat unknown flags", SYS_execveat, AT_FDCWD, c"/bin/true", 0, 0, 1);
    let long = [&vec![b'x'; 200_000][..], b"\0"].concat();
    let word = CStr::from_bytes_with_nul(&long).unwrap_or_default();
    value("execve a word of 200000", crate::sys::text(exec(c"/bin/true", &[word], &[])));
    let status = in_child(|| exec(c"/bin/sh", &[c"sh", c"-c", c"exit $V"], &[c"V=33"]) as i32);
    value("execve", WEXITSTATUS(status));
    put(c"script", b"#!/bin/sh -e\ntest \"$1\" = b && exit 21\nexit 22\n", 0o755);
    let status = in_child(|| exec(c"script", &[c"a", c"b"], &[c"PATH=/bin"]) as i32);
    value("execve a script", WEXITSTATUS(status));
    unlink_all(&[c"empty", c"text", c"plain", c"cut", c"lost", c"nothing", c"script"]);
}

fn descriptors() {
    let status = in_child(|| {
        sys!(SYS_dup3, 1, 50, O_CLOEXEC);
        sys!(SYS_dup3, 1, 51, 0);
        let script = c"test -e /proc/self/fd/51 && test ! -e /proc/self/fd/50 && exit 12";
        exec(c"/bin/sh", &[c"sh", c"-c", script], &[c"PATH=/bin"]) as i32
    });
    value("what execve leaves open", WEXITSTATUS(status));
}
