//! The root of the Linux programs, as tools/rootfs.py makes it: what is in the archive, and that
//! programs begin at a page of it.

use ochre::boot::initrd;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const HEADER: usize = 110;
const PAGE: usize = 4096;

/// What an archive says of one file.
struct Entry {
    mode: usize,
    inode: usize,
    links: usize,
    /// Where its bytes begin in the archive.
    at: usize,
    data: Vec<u8>,
}

/// The entries by name, read without what is tested.
fn entries(archive: &[u8]) -> BTreeMap<String, Entry> {
    let mut entries = BTreeMap::new();
    let mut at = 0;
    loop {
        let field = |number: usize| {
            let digits = &archive[at + 6 + 8 * number..at + 14 + 8 * number];
            usize::from_str_radix(str::from_utf8(digits).expect("digits"), 16).expect("a number")
        };
        assert_eq!(&archive[at..at + 6], b"070701");
        let (size, name_size) = (field(6), field(11));
        assert!(name_size <= 4096, "Linux skips a longer name");
        let name = archive[at + HEADER..at + HEADER + name_size].split(|&byte| byte == 0).next();
        let name = String::from_utf8(name.expect("a NUL").into()).expect("UTF-8");
        if name == "TRAILER!!!" {
            return entries;
        }
        let data = (at + HEADER + name_size).next_multiple_of(4);
        let entry = Entry {
            mode: field(1),
            inode: field(0),
            links: field(4),
            at: data,
            data: archive[data..data + size].into(),
        };
        entries.insert(name, entry);
        at = (data + size).next_multiple_of(4);
    }
}

/// An archive of the programs `coreutils` and `yash`, and of what is laid over them.
fn archive(folder: &Path) -> Vec<u8> {
    let (bin, root) = (folder.join("bin"), folder.join("root"));
    fs::create_dir_all(&bin).expect("a folder");
    fs::create_dir_all(root.join("etc")).expect("a folder");
    fs::create_dir_all(root.join("data/empty")).expect("a folder");
    let program = [b"\x7fELF".to_vec(), vec![7; 5000]].concat();
    for path in [bin.join("coreutils"), bin.join("yash"), folder.join("app")] {
        fs::write(path, &program).expect("a program");
    }
    fs::write(root.join("etc/motd"), "other").expect("a file");
    fs::write(root.join("data/file"), "text").expect("a file");
    fs::set_permissions(root.join("data/file"), fs::Permissions::from_mode(0o4711))
        .expect("a mode");
    fs::hard_link(root.join("data/file"), root.join("data/twin")).expect("a link");
    symlink("file", root.join("data/link")).expect("a link");
    let out = folder.join("out.cpio");
    let made = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/rootfs.py"))
        .args([&bin, &out])
        .args([
            "--root".as_ref(),
            root.as_os_str(),
            "--app".as_ref(),
            folder.join("app").as_os_str(),
        ])
        .status();
    assert!(made.expect("python3").success());
    fs::read(out).expect("the archive")
}

#[test]
fn the_root_of_the_linux_programs() {
    let folder = std::env::temp_dir().join(format!("ochre-rootfs-{}", std::process::id()));
    fs::create_dir(&folder).expect("a folder");
    let archive = archive(&folder);
    fs::remove_dir_all(&folder).expect("the folder");

    let entries = entries(&archive);
    assert!(initrd::check(&archive).is_ok_and(|count| count >= entries.len()));
    for name in ["bin/coreutils", "bin/yash", "bin/app"] {
        assert_eq!(entries[name].at % PAGE, 0, "{name} begins at {:#x}", entries[name].at);
        assert_eq!(entries[name].mode, 0o100_755);
        assert_eq!(initrd::find(&archive, name), Some(&entries[name].data[..]));
    }
    assert_eq!((entries["bin/sh"].mode, &entries["bin/sh"].data[..]), (0o120_777, &b"yash"[..]));
    assert_eq!(entries["bin/ls"].data, b"coreutils");
    assert_eq!((entries["tmp"].mode, entries["root"].mode), (0o041_777, 0o040_700));
    assert!(entries["etc/passwd"].data.starts_with(b"root:x:0:0:"));

    assert_eq!(entries["etc/motd"].data, b"other");
    assert_eq!(entries["data/empty"].mode & 0o170_000, 0o040_000);
    assert_eq!(entries["data/link"].data, b"file");
    let (file, twin) = (&entries["data/file"], &entries["data/twin"]);
    assert_eq!((file.mode, file.links, file.inode), (0o104_711, 2, twin.inode));
    assert_eq!((&file.data[..], &twin.data[..]), (&b""[..], &b"text"[..]));
}
