//! Laying file systems over directories.

use crate::{Result, last_error};
use std::ffi::CString;
use std::fs;
use std::io::Error;

const USAGE: &str = "usage: mount [-t KIND] [-r | -w] [-o OPTION,...] SOURCE DIRECTORY; `mount` alone lists what is mounted";

const UMOUNT: &str = "usage: umount [-l] [-f] DIRECTORY|DEVICE...";

/// Options that are flags of the call, and what they set or clear.
const FLAGS: [(&str, u64, bool); 20] = [
    ("ro", libc::MS_RDONLY, true),
    ("rw", libc::MS_RDONLY, false),
    ("nosuid", libc::MS_NOSUID, true),
    ("suid", libc::MS_NOSUID, false),
    ("nodev", libc::MS_NODEV, true),
    ("dev", libc::MS_NODEV, false),
    ("noexec", libc::MS_NOEXEC, true),
    ("exec", libc::MS_NOEXEC, false),
    ("noatime", libc::MS_NOATIME, true),
    ("atime", libc::MS_NOATIME, false),
    ("relatime", libc::MS_RELATIME, true),
    ("norelatime", libc::MS_RELATIME, false),
    ("nodiratime", libc::MS_NODIRATIME, true),
    ("diratime", libc::MS_NODIRATIME, false),
    ("strictatime", libc::MS_STRICTATIME, true),
    ("sync", libc::MS_SYNCHRONOUS, true),
    ("async", libc::MS_SYNCHRONOUS, false),
    ("dirsync", libc::MS_DIRSYNC, true),
    ("remount", libc::MS_REMOUNT, true),
    ("bind", libc::MS_BIND, true),
];

/// Options that are about `/etc/fstab`, and nothing to the call.
const OF_TABLE: [&str; 10] =
    ["", "defaults", "auto", "noauto", "user", "nouser", "users", "owner", "_netdev", "nofail"];

/// What is asked for.
#[derive(Default)]
struct Wanted {
    kind: Option<String>,
    flags: u64,
    /// It is not to be mounted read-only instead.
    is_to_write: bool,
    data: Vec<String>,
    names: Vec<String>,
}

/// Lays a file system over a directory.
pub fn mount(words: &[String]) -> Result {
    if words.is_empty() {
        let mounts =
            fs::read_to_string("/proc/mounts").map_err(|error| format!("/proc/mounts: {error}"))?;
        print!("{mounts}");
        return Ok(());
    }
    let Wanted { kind, flags, is_to_write, data, names } = read(words)?;
    let [source, target] = match names.as_slice() {
        [source, target] => [source, target],
        [target] if flags & libc::MS_REMOUNT != 0 => [target, target],
        _ => return Err(USAGE.into()),
    };
    let data = data.join(",");
    let kinds = kind.map_or_else(|| kinds(flags), |kind| vec![kind]);
    let mut result = attempt_kinds(source, target, &kinds, flags, &data);
    let is_protected = |why: &Error| matches!(why.raw_os_error(), Some(libc::EACCES | libc::EROFS));
    let may_be_less = !is_to_write && flags & (libc::MS_RDONLY | libc::MS_REMOUNT) == 0;
    if may_be_less && result.as_ref().is_err_and(is_protected) {
        result = attempt_kinds(source, target, &kinds, flags | libc::MS_RDONLY, &data);
        if result.is_ok() {
            eprintln!("mount: {target}: WARNING: source write-protected, mounted read-only.");
        }
    }
    result.map_err(|why| reason(&why, source, target, &kinds))
}

/// Tries one kind after the other: only what is no such file system may be another.
fn attempt_kinds(
    source: &str,
    target: &str,
    kinds: &[String],
    flags: u64,
    data: &str,
) -> std::io::Result<()> {
    let mut result = Err(Error::from_raw_os_error(libc::ENODEV));
    for kind in kinds {
        result = attempt(source, target, kind, flags, data);
        let is_other = |why: &Error| why.raw_os_error() == Some(libc::EINVAL);
        if !result.as_ref().is_err_and(is_other) {
            break;
        }
    }
    result
}

/// What a failure means, as `mount` of Linux says it.
fn reason(why: &Error, source: &str, target: &str, kinds: &[String]) -> String {
    let is_there = |path: &str| fs::symlink_metadata(path).is_ok();
    let text = match why.raw_os_error().unwrap_or(0) {
        libc::ENOENT if !is_there(target) => "mount point does not exist.".into(),
        libc::ENOENT => format!("special device {source} does not exist."),
        libc::ENOTDIR => "mount point is not a directory.".into(),
        libc::ENOTBLK => format!("{source} is not a block device."),
        libc::ENODEV => format!("unknown filesystem type '{}'.", kinds.join(", ")),
        libc::ENXIO => format!("{source} is not a valid block device."),
        libc::EBUSY => format!("{source} already mounted or mount point busy."),
        libc::EROFS if source == target => "cannot remount read-write, is write-protected.".into(),
        libc::EACCES | libc::EROFS => format!("cannot mount {source} read-only."),
        libc::EIO => format!("can't read superblock on {source}."),
        libc::EPERM => "must be superuser to use mount.".into(),
        libc::EINVAL => format!("wrong fs type, bad option, bad superblock on {source}."),
        _ => why.to_string(),
    };
    format!("{target}: {text}")
}

/// Options in any order, and what they are about.
fn read(words: &[String]) -> std::result::Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| USAGE.to_string());
        match word.as_str() {
            "-t" => wanted.kind = Some(value()?),
            "-o" => value()?.split(',').for_each(|option| wanted.option(option)),
            "-r" => wanted.option("ro"),
            "-w" | "--rw" => {
                wanted.option("rw");
                wanted.is_to_write = true;
            }
            "-B" | "--bind" => wanted.option("bind"),
            word if word.starts_with('-') && word.len() > 1 => return Err(USAGE.into()),
            word => wanted.names.push(word.into()),
        }
    }
    Ok(wanted)
}

impl Wanted {
    fn option(&mut self, option: &str) {
        match FLAGS.into_iter().find(|(name, ..)| *name == option) {
            Some((_, flag, true)) => self.flags |= flag,
            Some((_, flag, false)) => self.flags &= !flag,
            None if OF_TABLE.contains(&option) || option.starts_with("x-") => {}
            None => self.data.push(option.into()),
        }
    }
}

/// The kinds that need a device, if none is named.
fn kinds(flags: u64) -> Vec<String> {
    if flags & (libc::MS_REMOUNT | libc::MS_BIND) != 0 {
        return vec!["none".into()];
    }
    let all = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let of_devices = all.lines().filter(|line| !line.starts_with("nodev"));
    of_devices.map(|line| line.trim().to_string()).collect()
}

fn attempt(source: &str, target: &str, kind: &str, flags: u64, data: &str) -> std::io::Result<()> {
    let [source, target, kind, data] = [source, target, kind, data].map(CString::new);
    let (source, target, kind, data) = (source?, target?, kind?, data?);
    // SAFETY: all four end with a zero.
    let status = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags as libc::c_ulong,
            data.as_ptr().cast(),
        )
    };
    if status == 0 { Ok(()) } else { Err(last_error()) }
}

/// Takes away what lies over directories.
pub fn umount(words: &[String]) -> Result {
    let (options, names): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with('-'));
    let mut flags = 0;
    for option in options {
        flags |= match option.as_str() {
            "-l" => libc::MNT_DETACH,
            "-f" => libc::MNT_FORCE,
            _ => return Err(UMOUNT.into()),
        };
    }
    if names.is_empty() {
        return Err(UMOUNT.into());
    }
    for name in names {
        let target = CString::new(mounted_at(name)).map_err(|error| error.to_string())?;
        // SAFETY: it ends with a zero.
        if unsafe { libc::umount2(target.as_ptr(), flags) } != 0 {
            return Err(format!("{name}: {}", last_error()));
        }
    }
    Ok(())
}

/// The directory that a device was mounted at last, or the name itself.
fn mounted_at(name: &str) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let of_device = |words: &Vec<&str>| words.len() > 1 && words[0] == name && name.contains('/');
    let mut found = lines.filter(of_device).map(|words| words[1].replace("\\040", " "));
    found.next_back().unwrap_or_else(|| name.into())
}
