//! File systems that are filled to the end.

use crate::ensure;
use crate::memory::hold_all;
use crate::sys::{Outcome, PAGE, child, errno, kill, result, touch, wait, within, write};
use std::ffi::CString;
use std::fs;
use std::os::fd::AsRawFd;

/// Bytes that are written at a time.
const PIECE: usize = 1 << 20;

/// Free blocks of /tmp.
fn free() -> u64 {
    // SAFETY: all zeroes is such a structure.
    let mut info: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the name and the structure are there.
    unsafe { libc::statfs(c"/tmp".as_ptr(), &raw mut info) };
    info.f_bfree as u64
}

fn error(what: &str) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{what}: {error}")
}

pub fn full() -> Outcome {
    for _ in 0..2 {
        let before = free();
        let file = fs::File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open("/tmp/full")
            .map_err(error("creating"))?;
        let bytes = vec![1; PIECE];
        let mut written = 0;
        let refused = loop {
            match write(file.as_raw_fd(), &bytes) {
                Ok(count) => written += count as u64,
                Err(error) => break error,
            }
        };
        let small = fs::write("/tmp/full-2", [1; 5000]).map_err(|error| error.raw_os_error());
        let mapped = touch_beyond(&file, written as usize);
        drop(file);
        fs::remove_file("/tmp/full").map_err(error("removing"))?;
        let _ = fs::remove_file("/tmp/full-2");
        // What is long is taken apart by and by.
        within(5000, || free() + 64 > before);
        let after = free();
        ensure!(refused == libc::ENOSPC, "{written} bytes, then error {refused}");
        ensure!(written / PAGE as u64 + 64 > before / 2, "only {written} bytes of {before} blocks");
        ensure!(small == Err(Some(libc::ENOSPC)), "a file more: {small:?}");
        let mapped = mapped?;
        ensure!(mapped == libc::SIGBUS, "touching a page that there is no room for: {mapped:#x}");
        ensure!(after + 64 > before, "{before} free blocks before, {after} after");
    }
    Ok(())
}

/// What a process ends with that touches as much again of a mapped file.
fn touch_beyond(file: &fs::File, length: usize) -> Result<i32, String> {
    Ok(wait(child(|| {
        // SAFETY: the descriptor is the file's.
        if unsafe { libc::ftruncate(file.as_raw_fd(), 2 * length as i64) } != 0 {
            return 1;
        }
        match map_file(file, length, length) {
            Ok(at) => touch(at, length),
            Err(error) => return error,
        }
        0
    })?))
}

fn map_file(file: &fs::File, length: usize, offset: usize) -> Result<usize, i32> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let (fd, offset) = (file.as_raw_fd(), (offset / PAGE * PAGE) as i64);
    // SAFETY: nothing is replaced.
    let at =
        unsafe { libc::mmap(std::ptr::null_mut(), length, access, libc::MAP_SHARED, fd, offset) };
    if at == libc::MAP_FAILED { Err(errno()) } else { Ok(at as usize) }
}

/// A mapped file can be touched after others had all memory, though the file had none yet.
pub fn mapped() -> Outcome {
    const LENGTH: usize = 2 << 20;
    let mut wish = fs::OpenOptions::new();
    wish.create(true).truncate(true).read(true).write(true);
    let file = wish.open("/tmp/mapped").map_err(error("creating"))?;
    let outcome = touched_after_all(&file, LENGTH);
    drop(file);
    fs::remove_file("/tmp/mapped").map_err(error("removing"))?;
    outcome
}

fn touched_after_all(file: &fs::File, length: usize) -> Outcome {
    file.set_len(length as u64).map_err(error("lengthening"))?;
    let at = map_file(file, length, 0).map_err(|error| format!("mapping: error {error}"))?;
    let hog = hold_all()?;
    kill(hog, libc::SIGKILL);
    wait(hog);
    crate::kills::end_orphans();
    let status = wait(child(|| {
        touch(at, length);
        0
    })?);
    // SAFETY: it was mapped above.
    unsafe { libc::munmap(at as *mut _, length) };
    ensure!(status == 0, "whoever touched the file ended with {status:#x}");
    Ok(())
}

/// As many small files as there is room for.
pub fn small() -> Outcome {
    const MOST: usize = 60_000;
    fs::create_dir("/tmp/small").map_err(error("making a directory"))?;
    let mut made = 0;
    let refused = loop {
        match fs::write(format!("/tmp/small/{made}"), [1; 1500]) {
            Ok(()) => made += 1,
            Err(error) => break error.raw_os_error().unwrap_or(0),
        }
        if made == MOST {
            break libc::ENOSPC;
        }
    };
    // What could not be written is there.
    fs::remove_dir_all("/tmp/small").map_err(error("removing"))?;
    let expected = [libc::ENOSPC, libc::ENOMEM].contains(&refused);
    ensure!(expected && made > 100, "{made} files, then error {refused}");
    Ok(())
}

/// Ten thousand files in a directory.
pub fn directory() -> Outcome {
    const COUNT: usize = 10_000;
    fs::create_dir("/tmp/many").map_err(error("making a directory"))?;
    let name = |number| CString::new(format!("/tmp/many/{number}")).unwrap_or_default();
    for number in 0..COUNT {
        // SAFETY: the name is there.
        let made = result(unsafe {
            libc::open(name(number).as_ptr(), libc::O_CREAT | libc::O_WRONLY, 0o600)
        });
        let fd = made.map_err(|error| format!("file {number}: error {error}"))?;
        crate::sys::close(&[fd as i32]);
    }
    let listed = fs::read_dir("/tmp/many").map_err(error("listing"))?.count();
    let mut removed = 0;
    for number in 0..COUNT {
        // SAFETY: the name is there.
        removed += usize::from(unsafe { libc::unlink(name(number).as_ptr()) } == 0);
    }
    let empty = fs::remove_dir("/tmp/many");
    ensure!((listed, removed) == (COUNT, COUNT), "{listed} listed, {removed} removed");
    empty.map_err(error("removing the directory"))
}

/// A file system that goes with directories in it that lie in each other.
pub fn deep() -> Outcome {
    const DEPTH: usize = 3_000;
    let (name, root, tmpfs) = (c"/tmp/deep".as_ptr(), c"/".as_ptr(), c"tmpfs".as_ptr());
    fs::create_dir("/tmp/deep").map_err(error("making a directory"))?;
    // SAFETY: the names are there.
    let made = unsafe {
        let mounted = libc::mount(tmpfs, name, tmpfs, 0, std::ptr::null());
        ensure!(mounted == 0 && libc::chdir(name) == 0, "mounting: error {}", errno());
        let next =
            |_: &usize| libc::mkdir(c"d".as_ptr(), 0o700) == 0 && libc::chdir(c"d".as_ptr()) == 0;
        let made = (0..DEPTH).take_while(next).count();
        ensure!(libc::chdir(root) == 0 && libc::umount(name) == 0, "unmounting: error {}", errno());
        made
    };
    ensure!(made == DEPTH, "{made} directories");
    fs::remove_dir("/tmp/deep").map_err(error("removing"))
}
