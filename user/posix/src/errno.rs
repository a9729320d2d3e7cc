//! Linux's error numbers. Nothing outside of this server knows them.

use linux_raw_sys::errno;
use rt::Error;

/// Why a call failed, as Linux numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub u32);

/// What a call gives.
pub type Result<T = u64> = core::result::Result<T, Errno>;

/// Declares the numbers that are used.
macro_rules! numbers {
    ($($name:ident)+) => {
        impl Errno {
            $(#[expect(missing_docs, reason = "Linux's own names")]
            pub const $name: Errno = Errno(errno::$name);)+
        }
    };
}

numbers! {
    E2BIG EACCES EAGAIN EBADF EBUSY ECHILD EDEADLK EEXIST EFAULT EFBIG EINTR EINVAL EIO EISDIR ELOOP
    EMFILE EMLINK ENAMETOOLONG ENFILE ENODEV ENOENT ENOEXEC ENOMEM ENOSPC ENOSYS ENOTDIR
    ENOTEMPTY ENOTTY ENXIO EOPNOTSUPP EOVERFLOW EPERM EPIPE ERANGE EROFS ESPIPE ESRCH ETIMEDOUT
    ETXTBSY EXDEV ENODATA ENOTBLK EWOULDBLOCK ECONNREFUSED EADDRINUSE ENOTCONN EISCONN ENOTSOCK
    EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT EAFNOSUPPORT ECONNRESET EALREADY
    EINPROGRESS ESOCKTNOSUPPORT ENOBUFS EOWNERDEAD ECANCELED ENOLCK
}

impl Errno {
    /// The call was interrupted by a signal; it is made again if the signal's handler allows it, and
    /// fails with `EINTR` otherwise. No program ever sees this number.
    pub const RESTART: Errno = Errno(512);
    /// The call was interrupted; it is made again unless a handler ran.
    pub const RESTART_WITHOUT_HANDLER: Errno = Errno(514);

    /// The registers are to stay as they are. No program ever sees this number.
    pub const AS_IS: Errno = Errno(513);

    /// The answer of another server is not there yet: the call is made again when it is. No program ever
    /// sees this number.
    pub const LATER: Errno = Errno(515);

    /// As a register has it.
    pub fn register(self) -> u64 {
        u64::from(self.0).wrapping_neg()
    }
}

impl From<Error> for Errno {
    fn from(error: Error) -> Errno {
        match error {
            Error::BadAddress => Errno::EFAULT,
            Error::NoMemory => Errno::ENOMEM,
            Error::Occupied => Errno::EEXIST,
            Error::NoRight => Errno::EACCES,
            Error::PeerGone => Errno::ESRCH,
            _ => Errno::EINVAL,
        }
    }
}
