//! The names that x86-64 has from older times, and what stands for them elsewhere: the results are the
//! same.

use crate::sys::{BAD, call, close, close_all, file, show, value, wait};
use libc::*;

#[cfg(target_arch = "x86_64")]
mod by_name {
    use libc::*;

    pub const CALLS: [(i64, &[usize], &[usize]); 15] = [
        (SYS_open, &[], &[]),
        (SYS_stat, &[], &[]),
        (SYS_lstat, &[], &[]),
        (SYS_access, &[], &[]),
        (SYS_pipe, &[], &[]),
        (SYS_dup2, &[], &[]),
        (SYS_mkdir, &[], &[]),
        (SYS_rmdir, &[], &[]),
        (SYS_unlink, &[], &[]),
        (SYS_rename, &[], &[]),
        (SYS_symlink, &[], &[]),
        (SYS_readlink, &[], &[]),
        (SYS_chmod, &[], &[]),
        (SYS_link, &[], &[]),
        (SYS_fork, &[], &[]),
    ];
}

#[cfg(target_arch = "aarch64")]
mod by_name {
    use libc::*;

    const AT: usize = AT_FDCWD as usize;

    /// What comes before and after the words of the older call; symlink and the calls with two names are
    /// told apart below.
    pub const CALLS: [(i64, &[usize], &[usize]); 15] = [
        (SYS_openat, &[AT], &[]),
        (SYS_newfstatat, &[AT], &[0]),
        (SYS_newfstatat, &[AT], &[AT_SYMLINK_NOFOLLOW as usize]),
        (SYS_faccessat, &[AT], &[]),
        (SYS_pipe2, &[], &[0]),
        (SYS_dup3, &[], &[0]),
        (SYS_mkdirat, &[AT], &[]),
        (SYS_unlinkat, &[AT], &[AT_REMOVEDIR as usize]),
        (SYS_unlinkat, &[AT], &[0]),
        (SYS_renameat, &[AT], &[]),
        (SYS_symlinkat, &[], &[]),
        (SYS_readlinkat, &[AT], &[]),
        (SYS_fchmodat, &[AT], &[]),
        (SYS_linkat, &[AT], &[0]),
        (SYS_clone, &[SIGCHLD as usize], &[]),
    ];
}

const NAMES: [&str; 15] = [
    "open", "stat", "lstat", "access", "pipe", "dup2", "mkdir", "rmdir", "unlink", "rename",
    "symlink", "readlink", "chmod", "link", "fork",
];

/// Makes the call that has this name, or what stands for it.
fn old(name: &str, words: &[usize]) -> isize {
    let at = NAMES.iter().position(|known| *known == name).expect("a name of the table");
    let (number, before, after) = by_name::CALLS[at];
    let mut all: Vec<usize> = [before, words, after].concat();
    if cfg!(target_arch = "aarch64") && matches!(name, "rename" | "link") {
        all.insert(2, AT_FDCWD as usize);
    }
    if cfg!(target_arch = "aarch64") && name == "symlink" {
        all.insert(1, AT_FDCWD as usize);
    }
    all.resize(6, 0);
    call(number, std::array::from_fn(|at| all[at]))
}

pub fn run() {
    let [f, g, d, l, missing] =
        [c"f", c"g", c"d", c"l", c"missing"].map(|name| name.as_ptr() as usize);
    let check = |what: &str, name: &str, words: &[usize]| show(what, old(name, words));
    close(file(c"f", b"0123456789"));
    // SAFETY: plain integers.
    let mut info: stat = unsafe { std::mem::zeroed() };
    let room = &raw mut info as usize;
    check("open missing", "open", &[missing, 0, 0]);
    check("open bad address", "open", &[BAD, 0, 0]);
    check("stat", "stat", &[f, room]);
    value("its length", info.st_size);
    check("stat missing", "stat", &[missing, room]);
    check("stat bad address", "stat", &[f, BAD]);
    check("symlink", "symlink", &[f, l]);
    check("symlink again", "symlink", &[f, l]);
    check("lstat", "lstat", &[l, room]);
    value("its kind", info.st_mode & S_IFMT == S_IFLNK);
    check("readlink", "readlink", &[l, room, 10]);
    check("readlink of a file", "readlink", &[f, room, 10]);
    check("access", "access", &[f, R_OK as usize]);
    check("access missing", "access", &[missing, 0]);
    check("access wrong", "access", &[f, 99]);
    check("mkdir", "mkdir", &[d, 0o755]);
    check("mkdir again", "mkdir", &[d, 0o755]);
    check("rmdir of a file", "rmdir", &[f]);
    check("unlink of a directory", "unlink", &[d]);
    check("rmdir", "rmdir", &[d]);
    check("link", "link", &[f, g]);
    check("link again", "link", &[f, g]);
    check("rename", "rename", &[g, d]);
    check("rename missing", "rename", &[missing, g]);
    check("chmod", "chmod", &[f, 0o600]);
    check("chmod missing", "chmod", &[missing, 0o600]);
    let mut ends = [0i32; 2];
    check("pipe", "pipe", &[&raw mut ends as usize]);
    check("pipe bad address", "pipe", &[BAD]);
    check("dup2", "dup2", &[ends[0] as usize, 40]);
    check("dup2 of a bad descriptor", "dup2", &[999, 40]);
    let child = old("fork", &[]);
    if child == 0 {
        crate::sys::exit(5);
    }
    value("fork", WEXITSTATUS(wait(child as i32)));
    close_all(&[40, ends[0] as isize, ends[1] as isize]);
    for name in [f, d, l] {
        check("unlink", "unlink", &[name]);
    }
}
