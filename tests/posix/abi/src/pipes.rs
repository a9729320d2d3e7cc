//! Pipes and FIFOs: ends, room, atomic writes, readiness.

use crate::sys::{BAD, close, fork, in_child, nap, pipe, unlink, value, wait};
use crate::{check, sys};
use libc::*;

pub fn run() {
    ends();
    room();
    fifos();
}

fn ends() {
    let mut fds = [0; 2];
    check!("pipe2 unknown flags", SYS_pipe2, &mut fds, 1);
    check!("pipe2 bad address", SYS_pipe2, BAD, 0);
    check!("pipe2", SYS_pipe2, &mut fds, O_NONBLOCK | O_CLOEXEC);
    let [reader, writer] = fds;
    let mut bytes = [0u8; 8];
    check!("read of an empty pipe", SYS_read, reader, &mut bytes, 8);
    check!("write of the reading end", SYS_write, reader, &mut bytes, 8);
    check!("read of the writing end", SYS_read, writer, &mut bytes, 8);
    check!("write", SYS_write, writer, b"abc".as_slice(), 3);
    check!("read 2", SYS_read, reader, &mut bytes, 2);
    check!("read to a bad address", SYS_read, reader, BAD, 1);
    check!("read the rest", SYS_read, reader, &mut bytes, 8);
    check!("fcntl F_GETFD", SYS_fcntl, reader, F_GETFD);
    sys!(SYS_write, writer, b"last".as_slice(), 4);
    close(writer as isize);
    check!("read what is left", SYS_read, reader, &mut bytes, 8);
    check!("read without writers", SYS_read, reader, &mut bytes, 8);
    close(reader as isize);
    let [reader, writer] = pipe();
    close(reader as isize);
    let status = in_child(|| {
        // SAFETY: no handler is installed.
        unsafe { signal(SIGPIPE, SIG_DFL) };
        sys!(SYS_write, writer, b"x".as_slice(), 1) as i32
    });
    value("write without readers", (WIFSIGNALED(status), WTERMSIG(status)));
    // SAFETY: no handler is installed.
    unsafe { signal(SIGPIPE, SIG_IGN) };
    check!("write without readers, SIGPIPE ignored", SYS_write, writer, b"x".as_slice(), 1);
    close(writer as isize);
}

fn room() {
    let [reader, writer] = pipe();
    check!("fcntl F_GETPIPE_SZ", SYS_fcntl, writer, F_GETPIPE_SZ);
    sys!(SYS_fcntl, writer, F_SETFL, O_NONBLOCK);
    let block = vec![b'x'; 100_000];
    check!("write of 100000 without waiting", SYS_write, writer, block.as_slice(), 100_000);
    check!("write of one more", SYS_write, writer, block.as_slice(), 1);
    let mut bytes = vec![0u8; 5000];
    check!("read 4096", SYS_read, reader, bytes.as_mut_slice().as_mut_ptr(), 4096);
    check!("write of PIPE_BUF + 1", SYS_write, writer, block.as_slice(), 4097);
    check!("write of PIPE_BUF", SYS_write, writer, block.as_slice(), 4096);
    check!("ioctl FIONREAD", SYS_ioctl, reader, FIONREAD, bytes.as_mut_ptr());
    value("its answer", i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    close(reader as isize);
    close(writer as isize);
    let [reader, writer] = pipe();
    let child = fork();
    if child == 0 {
        close(reader as isize);
        crate::sys::exit((sys!(SYS_write, writer, block.as_slice(), 100_000) == 100_000) as i32);
    }
    close(writer as isize);
    let mut total = 0;
    loop {
        let length = sys!(SYS_read, reader, bytes.as_mut_ptr(), 5000);
        if length <= 0 {
            break;
        }
        total += length;
    }
    value("a blocked write of 100000", (total, WEXITSTATUS(wait(child))));
    close(reader as isize);
}

fn fifos() {
    check!("mknodat", SYS_mknodat, AT_FDCWD, c"p", S_IFIFO | 0o600, 0);
    check!("openat O_WRONLY O_NONBLOCK", SYS_openat, AT_FDCWD, c"p", O_WRONLY | O_NONBLOCK);
    let reader = sys!(SYS_openat, AT_FDCWD, c"p", O_RDONLY | O_NONBLOCK);
    let mut byte = 0u8;
    check!("read before a writer", SYS_read, reader, &mut byte, 1);
    let writer = sys!(SYS_openat, AT_FDCWD, c"p", O_WRONLY | O_NONBLOCK);
    check!("read with a writer", SYS_read, reader, &mut byte, 1);
    check!("write", SYS_write, writer, b"x".as_slice(), 1);
    check!("read", SYS_read, reader, &mut byte, 1);
    close(writer);
    check!("read after the writer", SYS_read, reader, &mut byte, 1);
    close(reader);
    let child = fork();
    if child == 0 {
        nap(20);
        let writer = sys!(SYS_openat, AT_FDCWD, c"p", O_WRONLY);
        crate::sys::exit(sys!(SYS_write, writer, b"y".as_slice(), 1) as i32);
    }
    let reader = sys!(SYS_openat, AT_FDCWD, c"p", O_RDONLY);
    check!("read after a blocked open", SYS_read, reader, &mut byte, 1);
    value("the writer", WEXITSTATUS(wait(child)));
    close(reader);
    unlink(c"p");
}
