//! Sockets within the machine: pairs, streams, datagrams, names, descriptors that travel.

use crate::sys::{BAD, close, close_all, pipe, unlink, value};
use crate::{check, sys};
use libc::*;

pub fn run() {
    arguments();
    pairs();
    streams();
    datagrams();
    passing();
    resets();
    exhaustion();
    cycles();
}

fn arguments() {
    let mut ends = [0; 2];
    check!("socketpair of an unknown family", SYS_socketpair, 99, SOCK_STREAM, 0, &mut ends);
    check!("socketpair of an unknown kind", SYS_socketpair, AF_UNIX, 99, 0, &mut ends);
    check!("socketpair of an unknown protocol", SYS_socketpair, AF_UNIX, SOCK_STREAM, 9, &mut ends);
    check!("socketpair bad address", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD);
    check!("socket of an unknown family", SYS_socket, 99, SOCK_STREAM, 0);
    check!("recvfrom of no socket", SYS_recvfrom, 1, &mut ends, 8, 0, 0, 0);
    check!("sendto of a bad descriptor", SYS_sendto, 999, &mut ends, 8, 0, 0, 0);
    check!("listen of no socket", SYS_listen, 1, 1);
    let [reader, writer] = pipe();
    check!("getsockname of a pipe", SYS_getsockname, reader, &mut ends, &mut 8u32);
    close(reader as isize);
    close(writer as isize);
}

fn pairs() {
    let mut ends = [0; 2];
    check!("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &mut ends);
    let [a, b] = ends;
    let mut bytes = [0u8; 16];
    check!("read of nothing", SYS_read, a, &mut bytes, 16);
    check!("write", SYS_write, a, b"hello".as_slice(), 5);
    check!("recvfrom MSG_PEEK", SYS_recvfrom, b, &mut bytes, 16, MSG_PEEK, 0, 0);
    check!("read 2", SYS_read, b, &mut bytes, 2);
    check!("read the rest", SYS_read, b, &mut bytes, 16);
    check!("shutdown SHUT_WR", SYS_shutdown, a, SHUT_WR);
    check!("read after it", SYS_read, b, &mut bytes, 16);
    check!("write after it", SYS_sendto, a, b"x".as_slice(), 1, MSG_NOSIGNAL, 0, 0);
    check!("write the other way", SYS_write, b, b"back".as_slice(), 4);
    check!("shutdown unknown", SYS_shutdown, a, 9);
    close(b as isize);
    check!("read what is left", SYS_read, a, &mut bytes, 16);
    check!("read without a peer", SYS_read, a, &mut bytes, 16);
    check!("lseek", SYS_lseek, a, 0, SEEK_SET);
    let mut kind = 0i32;
    check!("getsockopt SO_TYPE", SYS_getsockopt, a, SOL_SOCKET, SO_TYPE, &mut kind, &mut 4u32);
    value("the kind", kind);
    check!("getsockopt unknown", SYS_getsockopt, a, SOL_SOCKET, 9999, &mut kind, &mut 4u32);
    close(a as isize);
}

fn address(name: &str) -> (sockaddr_un, u32) {
    // SAFETY: plain integers.
    let mut address: sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = AF_UNIX as _;
    for (to, from) in address.sun_path.iter_mut().zip(name.bytes()) {
        *to = from as _;
    }
    (address, 2 + name.len() as u32 + 1)
}

fn streams() {
    let server = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    let client = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    let ((name, length), (missing, other)) = (address("s"), address("missing"));
    check!("connect before there is a name", SYS_connect, client, &name, length);
    check!("listen without a name", SYS_listen, server, 5);
    check!("bind", SYS_bind, server, &name, length);
    check!("bind again", SYS_bind, server, &name, length);
    check!("bind of another", SYS_bind, client, &name, length);
    check!("connect before listen", SYS_connect, client, &name, length);
    check!("accept4 before listen", SYS_accept4, server, 0, 0, 0);
    check!("listen", SYS_listen, server, 5);
    check!("connect to nothing", SYS_connect, client, &missing, other);
    check!("connect with a short address", SYS_connect, client, &name, 1);
    check!(
        "getpeername of one that is alone",
        SYS_getpeername,
        client,
        &mut [0u8; 128],
        &mut 128u32
    );
    check!(
        "write of one that is alone",
        SYS_sendto,
        client,
        b"x".as_slice(),
        1,
        MSG_NOSIGNAL,
        0,
        0
    );
    check!("connect", SYS_connect, client, &name, length);
    check!("connect again", SYS_connect, client, &name, length);
    let end = sys!(SYS_accept4, server, 0, 0, SOCK_CLOEXEC);
    check!("write", SYS_write, client, b"hello".as_slice(), 5);
    let mut bytes = [0u8; 128];
    check!("read", SYS_read, end, &mut bytes, 16);
    let mut room = 128u32;
    check!("getsockname", SYS_getsockname, end, &mut bytes, &mut room);
    value("its name", (room, bytes[2]));
    let mut who = ucred { pid: 0, uid: 9, gid: 9 };
    check!(
        "getsockopt SO_PEERCRED",
        SYS_getsockopt,
        end,
        SOL_SOCKET,
        SO_PEERCRED,
        &mut who,
        &mut 12u32
    );
    value("the peer", (who.pid as isize == sys!(SYS_getpid), who.uid, who.gid));
    close_all(&[client, end, server]);
    unlink(c"s");
}

fn datagrams() {
    let (mut ends, mut bytes) = ([0; 2], [0u8; 16]);
    sys!(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, &mut ends);
    let [a, b] = ends;
    check!("write", SYS_write, a, b"first".as_slice(), 5);
    check!("write", SYS_write, a, b"second".as_slice(), 6);
    check!("read that cuts", SYS_read, b, &mut bytes, 3);
    check!("recvfrom MSG_TRUNC", SYS_recvfrom, b, &mut bytes, 3, MSG_TRUNC, 0, 0);
    check!("read of nothing", SYS_read, b, &mut bytes, 3);
    check!("write of nothing", SYS_write, a, b"".as_slice(), 0);
    check!("read of it", SYS_read, b, &mut bytes, 3);
    close(b as isize);
    check!("write without a peer", SYS_sendto, a, b"x".as_slice(), 1, MSG_NOSIGNAL, 0, 0);
    close(a as isize);
}

/// A message with one byte and one descriptor: its control part as the kernel wants it.
fn passing() {
    let mut ends = [0; 2];
    sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, &mut ends);
    let [reader, writer] = pipe();
    let mut byte = *b"x";
    let part = iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let mut control = [20u64, (SCM_RIGHTS as u64) << 32 | SOL_SOCKET as u64, writer as u64];
    // SAFETY: plain integers and null pointers.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = (&raw const part).cast_mut();
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = 20;
    check!("sendmsg", SYS_sendmsg, ends[0], &mut message, 0);
    control = [0; 3];
    message.msg_controllen = 24;
    check!("recvmsg", SYS_recvmsg, ends[1], &mut message, MSG_CMSG_CLOEXEC);
    let received = control[2] as i32;
    value("what came", (message.msg_controllen as u64, message.msg_flags, received > writer));
    check!("write to it", SYS_write, received, b"yes".as_slice(), 3);
    let mut bytes = [0u8; 8];
    check!("read at its other end", SYS_read, reader, &mut bytes, 8);
    control.copy_from_slice(&[20, (SCM_RIGHTS as u64) << 32 | SOL_SOCKET as u64, 999]);
    message.msg_controllen = 20;
    check!("sendmsg of a bad descriptor", SYS_sendmsg, ends[0], &mut message, 0);
    close_all(&[reader, writer, received, ends[0], ends[1]].map(|fd| fd as isize));
}

fn pair(kind: i32) -> [isize; 2] {
    let mut ends = [0; 2];
    sys!(SYS_socketpair, AF_UNIX, kind | SOCK_NONBLOCK, 0, &mut ends);
    ends.map(|fd| fd as isize)
}

/// What the other side's end does to what it has not received.
fn resets() {
    let mut bytes = [0u8; 16];
    for (name, kind) in [("stream", SOCK_STREAM), ("packets", SOCK_SEQPACKET)] {
        println!("{name}:");
        let [a, b] = pair(kind);
        sys!(SYS_write, a, b"lost".as_slice(), 4);
        sys!(SYS_write, b, b"kept".as_slice(), 4);
        close(b);
        let mut polls = [pollfd { fd: a as i32, events: POLLIN | POLLOUT, revents: 0 }];
        check!("ppoll", SYS_ppoll, &mut polls, 1, &timespec { tv_sec: 0, tv_nsec: 0 }, 0, 8);
        value("ready", polls[0].revents);
        check!("read of what came", SYS_read, a, &mut bytes, 16);
        check!("read of the end", SYS_read, a, &mut bytes, 16);
        check!("read again", SYS_read, a, &mut bytes, 16);
        check!("write", SYS_sendto, a, b"x".as_slice(), 1, MSG_NOSIGNAL, 0, 0);
        close(a);
        let [a, b] = pair(kind);
        sys!(SYS_write, a, b"lost".as_slice(), 4);
        close(b);
        let mut error = 0i32;
        check!("SO_ERROR", SYS_getsockopt, a, SOL_SOCKET, SO_ERROR, &mut error, &mut 4u32);
        value("the error", error);
        check!("read after it", SYS_read, a, &mut bytes, 16);
        close(a);
    }
    let server = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    let client = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    let (name, length) = address("s");
    sys!(SYS_bind, server, &name, length);
    sys!(SYS_listen, server, 1);
    check!("connect", SYS_connect, client, &name, length);
    close(server);
    check!("read of one that was not accepted", SYS_read, client, &mut bytes, 16);
    check!("read again", SYS_read, client, &mut bytes, 16);
    close(client);
    unlink(c"s");
}

/// Without a descriptor for it a connection stays where it is.
fn exhaustion() {
    let server = sys!(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    let client = sys!(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    let (name, length) = address("s");
    sys!(SYS_bind, server, &name, length);
    sys!(SYS_listen, server, 1);
    let mut old = rlimit { rlim_cur: 0, rlim_max: 0 };
    sys!(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &mut old);
    let few = rlimit { rlim_cur: client as u64 + 1, ..old };
    sys!(SYS_prlimit64, 0, RLIMIT_NOFILE, &few, 0);
    check!("accept4 of nothing without a descriptor", SYS_accept4, server, 0, 0, 0);
    check!("connect", SYS_connect, client, &name, length);
    check!("accept4 without a descriptor", SYS_accept4, server, 0, 0, 0);
    check!("accept4 of a file without one", SYS_accept4, 1, 0, 0, 0);
    check!("accept4 of nothing at all", SYS_accept4, 999, 0, 0, 0);
    check!("socket without a descriptor", SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    sys!(SYS_prlimit64, 0, RLIMIT_NOFILE, &old, 0);
    let end = sys!(SYS_accept4, server, 0, 0, 0);
    check!("write", SYS_write, end, b"hello".as_slice(), 5);
    check!("read", SYS_read, client, &mut [0u8; 16], 16);
    close_all(&[end, client, server]);
    unlink(c"s");
}

/// Sends descriptors through a socket.
fn send(through: isize, files: &[isize]) -> isize {
    let mut byte = *b"x";
    let part = iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let length = 16 + 4 * files.len();
    let mut control = vec![0u64; length.div_ceil(8)];
    control[0] = length as u64;
    control[1] = (SCM_RIGHTS as u64) << 32 | SOL_SOCKET as u64;
    for (nth, file) in files.iter().enumerate() {
        control[2 + nth / 2] |= (*file as u64) << (32 * (nth % 2));
    }
    // SAFETY: plain integers and null pointers.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = (&raw const part).cast_mut();
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = length as _;
    sys!(SYS_sendmsg, through, &mut message, 0)
}

/// Sockets that nobody has but messages that only they could receive are gone, with what they had.
fn cycles() {
    let [reader, writer] = pipe();
    sys!(SYS_fcntl, reader, F_SETFL, O_NONBLOCK);
    let [a, b] = pair(SOCK_STREAM);
    println!("to itself = {}", send(a, &[b, writer as isize]));
    let [c, d] = pair(SOCK_STREAM);
    let [e, f] = pair(SOCK_DGRAM);
    println!("to each other = {}", send(c, &[f, writer as isize]));
    println!("and back = {}", send(e, &[d, c, e]));
    close(writer as isize);
    check!("read while they are open", SYS_read, reader, &mut [0u8; 8], 8);
    close_all(&[a, b, c, d, e, f]);
    // The next end of any socket has the kernel look.
    close_all(&pair(SOCK_STREAM));
    let mut polls = [pollfd { fd: reader, events: POLLIN, revents: 0 }];
    check!("the pipe's end", SYS_ppoll, &mut polls, 1, &timespec { tv_sec: 2, tv_nsec: 0 }, 0, 8);
    check!("read after they are gone", SYS_read, reader, &mut [0u8; 8], 8);
    close(reader as isize);
}
