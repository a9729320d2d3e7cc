//! File systems: what is mounted where, and which kinds there are.

use super::{Subject, links};
use crate::errno::Result;
use crate::file::mounts::ON_DISKS;
use crate::process::Ids;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use linux_raw_sys::general::{
    MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY,
};

pub fn filesystems(_: &Subject) -> Result<Vec<u8>> {
    let mut text = b"nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n".to_vec();
    ON_DISKS.iter().for_each(|kind| text.extend([b"\t", *kind, b"\n"].concat()));
    Ok(text)
}

/// A file system: its device, source, path, kind, and options.
struct Mounted {
    device: u64,
    source: String,
    path: String,
    kind: String,
    options: String,
}

/// All of them, the root first.
fn all(subject: &Subject) -> Vec<Mounted> {
    let (server, ids) = (subject.server, Ids::default());
    let walker = links::walker(server, &ids);
    let mut all = alloc::vec![Mounted {
        device: server.root.device,
        source: "rootfs".into(),
        path: "/".into(),
        kind: "tmpfs".into(),
        options: "rw".into(),
    }];
    for mount in server.mounts.all() {
        let Ok(path) = walker.path_of(&mount.root) else { continue };
        all.push(Mounted {
            device: mount.root.device,
            source: escaped(&mount.source),
            path: escaped(&path),
            kind: escaped(&mount.kind),
            options: options(mount.flags.get() as u32),
        });
    }
    all
}

fn options(flags: u32) -> String {
    let mut text = String::from(if flags & MS_RDONLY != 0 { "ro" } else { "rw" });
    let names = [
        (MS_NOSUID, ",nosuid"),
        (MS_NODEV, ",nodev"),
        (MS_NOEXEC, ",noexec"),
        (MS_NOATIME, ",noatime"),
        (MS_NODIRATIME, ",nodiratime"),
    ];
    for (flag, name) in names {
        if flags & flag != 0 {
            text.push_str(name);
        }
    }
    text
}

/// A name without what separates names.
fn escaped(name: &[u8]) -> String {
    let mut text = String::new();
    for &byte in name {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => text.push_str(&format!("\\{byte:03o}")),
            _ => text.push(byte.into()),
        }
    }
    if text.is_empty() { "none".into() } else { text }
}

pub fn mounts(subject: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for Mounted { source, path, kind, options, .. } in all(subject) {
        text.push_str(&format!("{source} {path} {kind} {options} 0 0\n"));
    }
    Ok(text.into_bytes())
}

pub fn mountinfo(subject: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for (nth, Mounted { device, source, path, kind, options }) in all(subject).iter().enumerate() {
        let (number, above) = (nth + 1, if nth == 0 { 0 } else { 1 });
        let super_options = if options.starts_with("ro") { "ro" } else { "rw" };
        text.push_str(&format!(
            "{number} {above} 0:{device} / {path} {options} - {kind} {source} {super_options}\n"
        ));
    }
    Ok(text.into_bytes())
}
