//! Trees that the host's tools have put into images are read as they are there.

mod support;

use ext::{Ext, Refusal};
use files::{Failure, FileSystem, KIND, Node, ROOT};
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use support::world::{Requests, Taken, new};
use support::{Folder, KINDS, Paper, fsck, is_clean, mkfs, mount, mount_with, run, unmount};

/// Bytes that differ from place to place.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|nth| (nth.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect()
}

/// A tree with all that there can be.
fn plant(root: &Path) {
    fs::create_dir_all(root.join("a/b/c/d")).expect("folders");
    fs::write(root.join("empty"), "").expect("a file");
    fs::write(root.join("a/small"), "some text\n").expect("a file");
    fs::write(root.join("a/b/large"), noise(3_000_001)).expect("a file");
    let holes = fs::File::create(root.join("a/holes")).expect("a file");
    for (at, length) in [(5_000, 3_000), (100_000, 5_000), (1_200_000, 9_000), (9_000_000, 1)] {
        holes.write_all_at(&noise(length), at).expect("some bytes");
    }
    holes.set_len(9_500_000).expect("an end");
    symlink("small", root.join("a/short")).expect("a link");
    symlink("x".repeat(700), root.join("a/long")).expect("a link");
    fs::hard_link(root.join("a/small"), root.join("a/b/twin")).expect("a link");
    fs::set_permissions(root.join("a/small"), fs::Permissions::from_mode(0o4751)).expect("a mode");
    fs::create_dir(root.join("many")).expect("a folder");
    for nth in 0..700 {
        fs::write(root.join(format!("many/file-with-a-long-name-{nth:04}")), nth.to_string())
            .expect("a file");
    }
}

/// A folder of the host is the same as a directory: how many files.
fn same(ext: &mut Ext<Paper>, node: Node, folder: &Path) -> usize {
    let mut names: Vec<_> = ext.list(node).expect("names");
    names.retain(|(name, ..)| name != b"lost+found");
    assert_eq!(names.len(), fs::read_dir(folder).expect("a folder").count(), "{folder:?}");
    let mut count = names.len();
    for (name, node, kind) in names {
        let path = folder.join(str::from_utf8(&name).expect("a name"));
        let host = fs::symlink_metadata(&path).expect("a file");
        let file = ext.stat(node).expect("a file");
        assert_eq!((file.mode, file.mode & KIND), (host.mode(), kind), "{path:?}");
        assert_eq!(file.owner, [host.uid(), host.gid()]);
        assert_eq!(file.times[1] / 1_000_000_000, host.mtime());
        assert!(host.is_dir() || u64::from(file.links) == host.nlink());
        if host.is_dir() {
            count += same(ext, node, &path);
        } else if host.is_symlink() {
            let target = fs::read_link(&path).expect("a target");
            assert_eq!(ext.target(node).expect("a target"), target.as_os_str().as_encoded_bytes());
        } else {
            let bytes = fs::read(&path).expect("bytes");
            assert!(ext.get(node).expect("bytes") == bytes, "{path:?}");
        }
    }
    count
}

#[test]
fn trees_of_the_host() {
    let folder = Folder::new();
    plant(&folder.0);
    for (kind, words) in KINDS {
        let image = mkfs(kind, words, 32 << 10, Some(&folder.0));
        assert_eq!(same(&mut mount(image), ROOT, &folder.0), 712, "{kind} {words:?}");
    }
}

/// Directories with an index are read, lose names, and lose the index when they get some.
#[test]
fn indexed_directories() {
    let folder = Folder::new();
    plant(&folder.0);
    for (kind, words) in [("ext4", &["-b", "1024"][..]), ("ext4", &[]), ("ext3", &["-b", "1024"])] {
        let image = mkfs(kind, words, 32 << 10, Some(&folder.0));
        let (status, said, image) = fsck(&image, &["-fyD"]);
        assert!(status <= 1, "{said}");
        let mut ext = mount(image);
        assert_eq!(same(&mut ext, ROOT, &folder.0), 712);
        let many = ext.lookup(ROOT, b"many").expect("a directory").node;
        for nth in (0..700).step_by(3) {
            let name = format!("file-with-a-long-name-{nth:04}");
            let file = ext.lookup(many, name.as_bytes()).expect("a file").node;
            ext.change(|ext| ext.unlink(many, name.as_bytes())).expect("it goes");
            ext.change(|ext| ext.release(file)).expect("it goes");
        }
        let image = unmount(ext);
        is_clean(&image, "names gone");
        let mut ext = mount(image);
        let many = ext.lookup(ROOT, b"many").expect("a directory").node;
        for nth in 0..300 {
            let name = format!("new-{nth}");
            ext.change(|ext| ext.create(many, name.as_bytes(), &new(0o100_644, 0), b""))
                .expect("a file");
        }
        assert_eq!(ext.list(many).expect("names").len(), 700 - 234 + 300);
        is_clean(&unmount(ext), "names new");
    }
}

/// What `fallocate` reserves is zero, and becomes bytes where it is written.
#[test]
fn unwritten_extents() {
    let image = mkfs("ext4", &["-b", "1024"], 8 << 10, None);
    let folder = Folder::new();
    let (file, bytes) = (folder.path("image"), folder.path("bytes"));
    fs::write(&file, image).expect("an image");
    fs::write(&bytes, noise(200_000)).expect("bytes");
    let write = format!("write {} file", bytes.display());
    for command in [&write[..], "fallocate file 300 900", "set_inode_field file size 800000"] {
        let (status, said) = run("debugfs", &["-w", "-R", command], &file);
        assert!(status == 0, "{said}");
    }
    let mut ext = mount(fs::read(&file).expect("the image"));
    let node = ext.lookup(ROOT, b"file").expect("a file").node;
    let mut expected = noise(200_000);
    expected.resize(800_000, 0);
    assert!(ext.get(node).expect("bytes") == expected);
    for at in [500_000, 400_500, 799_000, 310_000, 399_000, 500_100] {
        ext.put(node, at, &noise(1_500)).expect("some bytes");
        expected.resize(expected.len().max(at as usize + 1_500), 0);
        expected[at as usize..][..1_500].copy_from_slice(&noise(1_500));
        assert!(ext.get(node).expect("bytes") == expected, "{at}");
    }
    is_clean(&unmount(ext), "written");
}

/// A file whose tree of extents has two levels above the leaves.
#[test]
fn deep_trees() {
    let mut ext = mount(mkfs("ext4", &["-b", "1024"], 32 << 10, None));
    let node =
        ext.change(|ext| ext.create(ROOT, b"comb", &new(0o100_644, 0), b"")).expect("a file").node;
    let pieces = 9_000_u64;
    // From the middle to both ends, for all ways to insert.
    let order = (0..pieces)
        .map(|nth| if nth % 2 == 0 { pieces / 2 + nth / 2 } else { pieces / 2 - 1 - nth / 2 });
    for nth in order.clone() {
        ext.put(node, nth * 2048, &nth.to_le_bytes()).expect("some bytes");
    }
    let bytes = ext.get(node).expect("bytes");
    for nth in 0..pieces {
        let at = nth as usize * 2048;
        assert_eq!(bytes[at..at + 8], nth.to_le_bytes());
        assert!(bytes[at + 8..bytes.len().min(at + 2048)].iter().all(|&byte| byte == 0));
    }
    let image = unmount(ext);
    is_clean(&image, "a comb");
    let mut ext = mount(image);
    // The holes are filled, which joins all of it.
    for nth in order {
        ext.put(node, nth * 2048 + 1024, &[7; 1024]).expect("some bytes");
    }
    let image = unmount(ext);
    is_clean(&image, "a comb that was filled");
    let mut ext = mount(image);
    ext.change(|ext| ext.truncate(node, 5_000_000)).expect("it can be cut");
    ext.change(|ext| ext.unlink(ROOT, b"comb")).expect("it goes");
    ext.change(|ext| ext.release(node)).expect("it goes");
    is_clean(&unmount(ext), "a comb that is gone");
}

/// What Linux leaves in a journal, with revocations, is what `e2fsck` makes of it.
#[test]
fn journals_of_others() {
    for words in [&["-b", "1024"][..], &["-b", "4096"], &["-b", "1024", "-O", "^metadata_csum"]] {
        let folder = Folder::new();
        let (file, block) = (folder.path("image"), folder.path("block"));
        fs::write(&file, mkfs("ext4", words, 16 << 10, None)).expect("an image");
        let size = words[1].parse().expect("a size");
        // One that looks like the journal's own has to be escaped.
        let escaped = [&[0xc0, 0x3b, 0x39, 0x98][..], &noise(size - 4)].concat();
        fs::write(&block, [escaped, noise(size), vec![9; size]].concat()).expect("blocks");
        let write = |blocks: &str| format!("jw -b {blocks} {}", block.display());
        let sums = if words.contains(&"^metadata_csum") { "jo" } else { "jo -c" };
        let script = [
            sums,
            &write("3001,3002,3003"),
            "jw -r 3002",
            &write("3003,3004,3005"),
            "jw -r 3005,3001",
            &write("3005,3006,3007"),
            "jc",
        ]
        .join("\n");
        let commands = folder.path("commands");
        fs::write(&commands, script).expect("commands");
        let (status, said) =
            run("debugfs", &["-w", "-f", commands.to_str().expect("a path")], &file);
        assert!(status == 0, "{said}");
        let image = fs::read(&file).expect("the image");
        let (_, said, expected) = fsck(&image, &["-p", "-E", "journal_only"]);
        assert!(said.contains("recovering journal"), "{said}");
        let (ext, mounted) = Ext::mount(Paper::new(image, 1024), true).expect("a mount");
        assert_eq!(mounted.replayed, 6, "{words:?}");
        let found = ext.into_disk().image;
        for block in 3001..3008 {
            let range = block * size..(block + 1) * size;
            assert!(found[range.clone()] == expected[range], "{words:?}: {block}");
        }
    }
}

/// Files that were open without a name, and one that was being cut, when Linux lost its power.
#[test]
fn orphans_of_others() {
    let folder = Folder::new();
    plant(&folder.0);
    for words in [&["-b", "1024"][..], &["-O", "^metadata_csum,^orphan_file"]] {
        let image = mkfs("ext4", words, 32 << 10, Some(&folder.0));
        let file = folder.path("image");
        fs::write(&file, image).expect("an image");
        let (status, said) = run("debugfs", &["-R", "stat a/b/large"], &file);
        assert_eq!(status, 0, "{said}");
        let number: u32 =
            said.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
        let commands = [
            "unlink a/b/large".to_string(),
            format!("set_inode_field <{number}> links_count 0"),
            format!("ssv last_orphan {number}"),
        ];
        for command in &commands {
            let (status, said) = run("debugfs", &["-w", "-R", command], &file);
            assert!(status == 0, "{said}");
        }
        let mut ext = mount(fs::read(&file).expect("the image"));
        assert_eq!(ext.stat(number.into()), Err(Failure::NotFound));
        is_clean(&unmount(ext), "orphans");
        fs::remove_file(&file).expect("the image");
    }
}

/// Reading from one end to the other looks extents up once in a request, and pages up by runs.
#[test]
fn reading_is_cheap() {
    let folder = Folder::new();
    fs::write(folder.path("large"), noise(4 << 20)).expect("a file");
    let mut ext = mount_with(mkfs("ext4", &[], 32 << 10, Some(&folder.0)), 2048);
    let node = ext.lookup(ROOT, b"large").expect("a file").node;
    for most in [1000, 450] {
        let before = ext.disk().steps;
        for at in (0..4 << 20).step_by(files::MOST) {
            let mut bytes = Taken(Vec::new(), files::MOST);
            ext.read(node, at, &mut bytes).expect("bytes");
            assert_eq!(bytes.0.len(), files::MOST);
        }
        let steps = ext.disk().steps - before;
        assert!(steps < most, "{steps} looks at the cache for 1024 pages");
    }
}

/// What is changed has the time of the request.
#[test]
fn times() {
    let mut ext = mount(mkfs("ext4", &[], 8 << 10, None));
    let time = |seconds: i64| seconds * 1_000_000_000 + 123_456_789;
    let wish = new(0o100_644, time(1_700_000_000));
    let node = ext.change(|ext| ext.create(ROOT, b"x", &wish, b"")).expect("a file").node;
    assert_eq!(ext.stat(node).expect("a file").times, [time(1_700_000_000); 3]);
    // After the end of 32 bits.
    ext.begin(time(5_000_000_000));
    ext.put(node, 0, b"text").expect("some bytes");
    let [made, now] = [1_700_000_000, 5_000_000_000].map(time);
    assert_eq!(ext.stat(node).expect("a file").times, [made, now, now]);
    ext.begin(time(6_000_000_000));
    ext.change(|ext| ext.link(ROOT, node, b"y")).expect("a link");
    assert_eq!(ext.stat(node).expect("a file").times, [made, now, time(6_000_000_000)]);
    assert_eq!(ext.stat(ROOT).expect("a directory").times[1..], [time(6_000_000_000); 2]);
    ext.change(|ext| ext.set(node, &new(0o600, -time(5)))).expect("attributes");
    assert_eq!(ext.stat(node).expect("a file").times, [-time(5); 3]);
}

/// What cannot be had is refused, and what cannot be written is not.
#[test]
fn refusals() {
    let say = |image: Vec<u8>| match Ext::mount(Paper::new(image, 1024), false) {
        Ok((_, mounted)) => format!("writable: {}", mounted.writable),
        Err(refusal) => refusal.to_string(),
    };
    assert_eq!(say(vec![0; 1 << 20]), Refusal::NotExt.to_string());
    let encrypted = mkfs("ext4", &["-O", "encrypt"], 8 << 10, None);
    assert_eq!(say(encrypted), "the file system has features that are not known here: 0x10000");
    let quota = mkfs("ext4", &["-O", "quota"], 8 << 10, None);
    assert_eq!(say(quota), "writable: false");
    let short = mkfs("ext4", &[], 8 << 10, None)[..4 << 20].to_vec();
    assert_eq!(say(short), Refusal::TooSmallDisk.to_string());
    let mut wrong = mkfs("ext4", &[], 8 << 10, None);
    wrong[1024 + 0x20] ^= 8;
    assert_ne!(say(wrong), "writable: true");
    assert_eq!(say(mkfs("ext4", &[], 8 << 10, None)), "writable: true");
    let mut ext =
        Ext::mount(Paper::new(mkfs("ext4", &[], 8 << 10, None), 1024), true).expect("a mount").0;
    let made = ext.change(|ext| ext.create(ROOT, b"x", &new(0o100_644, 0), b""));
    assert_eq!(made, Err(Failure::ReadOnly));
}
