//! One thing at a time.

use crate::client::{Client, Image, NOW, create, fsck, make, mount, run};
use files::requests::Unlink;
use files::{Attributes, DIRECTORY, Failure, REGULAR, ROOT, Request, Tells};
use volume::fake::Fake;

const CACHE: usize = 400;

fn fresh(kib: usize, arguments: &[&str]) -> Client {
    Client::new(mount(Fake::new(make(kib, arguments), CACHE)).files)
}

fn check(mut client: Client) -> Vec<u8> {
    client.sync().unwrap();
    let disk = client.into_disk();
    assert_eq!(fsck(disk.image()), None);
    disk.image().to_vec()
}

/// One of each kind.
const KINDS: [(usize, &[&str]); 6] = [
    (1440, &["-F", "12"]),
    (8 << 10, &["-F", "12", "-s", "8"]),
    (16 << 10, &["-F", "16", "-s", "1"]),
    (36 << 10, &["-F", "16", "-s", "16"]),
    (40 << 10, &["-F", "32", "-s", "1"]),
    (66 << 10, &["-F", "32", "-s", "2"]),
];

#[test]
fn what_is_written_is_read_by_others() {
    for (kib, arguments) in KINDS {
        let mut client = fresh(kib, arguments);
        let folder = client.create(ROOT, "Größere Dateien", DIRECTORY | 0o755).unwrap().node;
        let text: Vec<u8> = (0..100_000_u32).flat_map(|nth| nth.to_le_bytes()).collect();
        for (name, bytes) in [("README.TXT", &text[..10]), ("a long name.text", &text[..])] {
            let file = client.create(folder, name, REGULAR | 0o644).unwrap().node;
            client.write(file, 0, bytes).unwrap();
            assert!(client.read(file, 0).unwrap() == bytes);
            assert_eq!(client.stat(file).unwrap().size, bytes.len() as u64);
        }
        let image = Image::new(&check(client));
        let target = image.0.with_extension("d");
        std::fs::create_dir(&target).unwrap();
        let (fine, said) =
            run("mcopy", &["-s", "-i", "IMAGE", "::*", target.to_str().unwrap()], &image);
        let read = |name: &str| std::fs::read(target.join("Größere Dateien").join(name));
        assert!(fine && read("README.TXT").is_ok_and(|it| it == text[..10]), "{said}");
        assert!(read("a long name.text").is_ok_and(|it| it == text), "{said}");
        std::fs::remove_dir_all(&target).unwrap();
    }
}

#[test]
fn what_others_wrote_is_read() {
    for (kib, arguments) in KINDS {
        let image = Image::new(&make(kib, arguments));
        let text: Vec<u8> = (0..200_000_u32).map(|nth| (nth * 7 / 8) as u8).collect();
        let file = Image::new(&text);
        for name in ["::FILE.BIN", "::a file with a long name.binary", "::ünicode.txt"] {
            let (fine, said) =
                run("mcopy", &["-i", "IMAGE", file.0.to_str().unwrap(), name], &image);
            assert!(fine, "{said}");
        }
        run("mmd", &["-i", "IMAGE", "::Sub", "::Sub/below"], &image);
        let disk = Fake::new(std::fs::read(&image.0).unwrap(), CACHE);
        let mut client = Client::new(mount(disk).files);
        for name in ["file.bin", "A FILE with a long name.BINARY", "Ünicode.TXT"] {
            let node = client.lookup(ROOT, name).unwrap().node;
            assert!(client.read(node, 0).unwrap() == text);
            assert!(client.read(node, 70_001).unwrap() == text[70_001..]);
        }
        let sub = client.lookup(ROOT, "sub").unwrap();
        assert_eq!((sub.links, sub.mode & DIRECTORY), (3, DIRECTORY));
        assert_eq!(client.list(sub.node).unwrap()[0].0, "below");
        let mut names: Vec<_> = client.list(ROOT).unwrap().into_iter().map(|it| it.0).collect();
        names.sort();
        assert_eq!(names, ["FILE.BIN", "Sub", "a file with a long name.binary", "ünicode.txt"]);
        check(client);
    }
}

#[test]
fn names_are_refused_as_linux_does() {
    let mut client = fresh(1440, &["-F", "12"]);
    let mut create = |name: &str| client.create(ROOT, name, REGULAR | 0o644).map(|_| ());
    assert_eq!(create("a:b"), Err(Failure::Invalid));
    assert_eq!(create("..."), Err(Failure::Invalid));
    assert_eq!(create(&"x".repeat(256)), Err(Failure::NameTooLong));
    assert_eq!(create(&"ü".repeat(255)), Ok(()));
    assert_eq!(create(&"Ü".repeat(255)), Err(Failure::Exists));
    assert_eq!(create("Name."), Ok(()));
    assert_eq!(create("NAME"), Err(Failure::Exists));
    assert_eq!(client.create(ROOT, "l", files::LINK | 0o777), Err(Failure::Unsupported));
    check(client);
}

#[test]
fn short_names_get_numbers() {
    let mut client = fresh(1440, &["-F", "12"]);
    for nth in 0..30 {
        client.create(ROOT, &format!("long name number {nth}.txt"), REGULAR | 0o644).unwrap();
    }
    assert!(client.lookup(ROOT, "LONGNA~1.TXT").is_ok());
    assert!(client.lookup(ROOT, "longn~30.txt").is_ok());
    client.unlink(ROOT, "LONGNA~7.TXT").unwrap();
    client.create(ROOT, "long name again.txt", REGULAR | 0o644).unwrap();
    let (again, short) =
        (client.lookup(ROOT, "long name again.txt"), client.lookup(ROOT, "LONGNA~7.TXT"));
    assert_eq!(again.unwrap().node, short.unwrap().node);
    check(client);
}

#[test]
fn times_and_the_bit_of_reading_only() {
    let mut client = fresh(1440, &["-F", "12"]);
    let node = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
    let day = 86_400_000_000_000;
    for time in [1_700_000_001_500_000_000, 0, 951_782_399_000_000_000, 1_709_208_000_000_000_000] {
        let wish = Attributes { mode: 0o444, times: [time; 3], ..Attributes::default() };
        let told = client.set(node, &wish).unwrap();
        let time = time.max(315_532_800_000_000_000);
        assert_eq!(told.mode, REGULAR | 0o555);
        assert_eq!(told.times[1], time - time % 2_000_000_000);
        assert_eq!(told.times[0], time - time % day);
    }
    let wish = Attributes { mode: 0o200, ..Attributes::default() };
    assert_eq!(client.set(node, &wish).unwrap().mode, REGULAR | 0o755);
    client.write(node, 0, b"x").unwrap();
    assert_eq!(client.stat(node).unwrap().times[1], NOW);
    let wish = Attributes { owner: [1000, 0], ..wish };
    assert_eq!(client.set(node, &wish), Err(Failure::Unsupported));
    check(client);
}

#[test]
fn holes_are_zeroes_and_ends_are_ends() {
    let mut client = fresh(8 << 10, &["-F", "12", "-s", "4"]);
    let node = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
    client.write(node, 0, &[0xff; 9000]).unwrap();
    client.truncate(node, 100).unwrap();
    client.write(node, 5000, b"x").unwrap();
    let bytes = client.read(node, 0).unwrap();
    assert!(bytes[..100].iter().all(|&byte| byte == 0xff) && bytes.len() == 5001);
    assert!(bytes[100..5000].iter().all(|&byte| byte == 0));
    client.truncate(node, 3_000_000).unwrap();
    assert!(client.read(node, 5001).unwrap() == vec![0; 3_000_000 - 5001]);
    assert_eq!(client.truncate(node, 9 << 20), Err(Failure::NoSpace));
    assert_eq!(client.stat(node).unwrap().size, 3_000_000);
    client.truncate(node, 0).unwrap();
    assert_eq!(client.truncate(node, 1 << 32), Err(Failure::TooLarge));
    assert_eq!(client.write(node, u32::MAX.into(), b"x"), Err(Failure::TooLarge));
    check(client);
}

#[test]
fn a_full_disk_says_so_and_gets_room_again() {
    let mut client = fresh(1440, &["-F", "12"]);
    for _ in 0..3 {
        let node = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
        let mut at = 0;
        let failure = loop {
            match client.write(node, at, &[1; 4096]) {
                Ok(()) => at += 4096,
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure, Failure::NoSpace);
        assert!(at > 1_200_000, "{at}");
        client.unlink(ROOT, "f").unwrap();
        client.release(node).unwrap();
    }
    assert!(client.fat().volume().dirty() > 0);
    check(client);
}

#[test]
fn a_disk_that_is_gone_is_told() {
    let mut client = fresh(1440, &["-F", "12"]);
    let node = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
    client.sync().unwrap();
    client.fat().volume().disk().cut_in = Some(0);
    // What fits into the cache is taken; a sync, and what does not fit, tell.
    assert_eq!(client.write(node, 0, b"x"), Ok(()));
    assert_eq!(client.sync(), Err(Failure::Broken));
    let failure = (0..1000).find_map(|nth| client.write(node, nth * 4096, &[1; 4096]).err());
    assert_eq!(failure, Some(Failure::Broken));
    // It is there again: nothing is lost.
    client.fat().volume().disk().cut_in = None;
    client.write(node, 0, b"x").unwrap();
    check(client);
}

#[test]
fn a_file_that_is_open_outlives_its_name() {
    let mut client = fresh(1440, &["-F", "12"]);
    let old = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
    client.write(old, 0, b"old").unwrap();
    client.unlink(ROOT, "f").unwrap();
    let new = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
    assert_ne!(old, new);
    client.write(new, 0, b"new").unwrap();
    client.write(old, 3, b"er").unwrap();
    assert_eq!(
        (client.read(old, 0).unwrap(), client.read(new, 0).unwrap()),
        (b"older".into(), b"new".into())
    );
    client.rename(ROOT, "f", ROOT, "g").unwrap();
    assert_eq!(client.lookup(ROOT, "g").unwrap().node, new);
    // The next one to serve it knows them both; the next mount neither.
    let mut client = Client { number: client.number, fat: Some(mount(client.into_disk()).files) };
    assert_eq!(
        (client.read(old, 0).unwrap(), client.read(new, 0).unwrap()),
        (b"older".into(), b"new".into())
    );
    client.sync().unwrap();
    let mut disk = client.into_disk();
    disk.lose_cache();
    let mut client = Client::new(mount(disk).files);
    assert!(client.lookup(ROOT, "g").is_ok() && client.list(ROOT).unwrap().len() == 1);
    check(client);
}

#[test]
fn directories_know_their_parents() {
    let mut client = fresh(1440, &["-F", "12"]);
    let mut make =
        |parent, name: &str| client.create(parent, name, DIRECTORY | 0o755).unwrap().node;
    let a = make(ROOT, "a");
    let b = make(a, "b");
    let c = make(b, "c");
    assert_eq!(client.rename(ROOT, "a", c, "a"), Err(Failure::Invalid));
    assert_eq!(client.unlink(a, "b"), Err(Failure::NotEmpty));
    client.rename(b, "c", ROOT, "c").unwrap();
    client.rename(ROOT, "a", c, "A").unwrap();
    assert_eq!(client.stat(c).unwrap().links, 3);
    assert_eq!(client.lookup(c, "a").unwrap().node, a);
    client.unlink(a, "B").unwrap();
    assert_eq!(client.stat(b), Err(Failure::NotFound));
    check(client);
}

#[test]
fn the_same_request_is_done_once() {
    let mut client = fresh(1440, &["-F", "12"]);
    let node = client.create(ROOT, "f", REGULAR | 0o644).unwrap().node;
    let told = client.ask(create(ROOT, "f", REGULAR | 0o644), true).unwrap();
    assert_eq!(told.attributes().unwrap().node, node);
    let disk = client.into_disk();
    let mut client = Client { number: 1, fat: Some(mount(disk).files) };
    let told = client.ask(create(ROOT, "f", REGULAR | 0o644), true).unwrap();
    assert_eq!(told.attributes().unwrap().node, node);
    client.unlink(ROOT, "f").unwrap();
    let unlink = Request::of(Unlink { directory: ROOT, name: b"f" });
    assert_eq!(client.ask(unlink, true), Ok(Tells::default()));
    check(client);
}
