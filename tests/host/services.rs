//! What the supervisor is told, and what it decides by itself.

use services::manifest::{Manifest, Trait};
use services::policy::{LIVES, Patience, Verdict};
use services::recovery::Times;

const MILLISECOND: u64 = 1_000_000;

fn names(manifest: &Manifest) -> Vec<&str> {
    manifest.services.iter().map(|spec| spec.name()).collect()
}

/// What is wrong, and in which line.
fn wrong(text: &str) -> String {
    let wrong = Manifest::parse(text).expect_err(text);
    format!("{}: {}", wrong.line, wrong.why)
}

#[test]
fn the_manifest_that_is_shipped_can_be_read() {
    let manifest = Manifest::parse(include_str!("../../user/init/services")).unwrap();
    let posix = manifest.find("posix").unwrap();
    assert!(posix.has(Trait::Critical) && posix.has(Trait::Control));
    assert_eq!(posix.quota, None);
    // Nobody but it may ask the supervisor for anything, read the log, or see the initrd.
    for spec in manifest.services.iter().chain(&manifest.templates) {
        for what in [Trait::Control, Trait::Inspect, Trait::Initrd] {
            assert_eq!(spec.has(what), spec.name() == "posix", "{}", spec.name());
        }
    }
    let console = manifest.find("console").unwrap();
    assert_eq!(console.kept, [("rings".to_string(), 10)]);
}

#[test]
fn a_service_is_what_its_lines_say() {
    let manifest = Manifest::parse(
        "# comment\n\nservice a # the first\nprogram p\ndevice x y\nnames one two\nkept m 4097\n\
         dma 2M\nquota 64K\npriority 3\nlimit 7\nword w 42\ncooperative\nonce\nanyway\n",
    )
    .unwrap();
    let spec = &manifest.services[0];
    assert_eq!((spec.program.as_str(), spec.devices.len()), ("p", 2));
    assert_eq!([0, 1, 2].map(|nth| spec.instance(nth)), ["one", "two", "one3"]);
    assert_eq!((spec.kept[0].1, spec.dma, spec.quota), (2, 512, Some(64 << 10)));
    assert_eq!((spec.priority, spec.limit), (3, 7));
    assert_eq!(spec.words, [("w".to_string(), 42)]);
    assert!(
        spec.has(Trait::Cooperative)
            && spec.has(Trait::Once)
            && spec.has(Trait::Anyway)
            && !spec.has(Trait::Critical)
    );
}

#[test]
fn services_come_after_what_they_need() {
    let text =
        "service a\nprogram p\nneeds b\nservice c\nprogram p\nservice b\nprogram p\nclient c\n";
    assert_eq!(names(&Manifest::parse(text).unwrap()), ["c", "b", "a"]);
    // What does not matter stays as it is written.
    let text = "service z\nprogram p\nbell a\nservice a\nprogram p\n";
    assert_eq!(names(&Manifest::parse(text).unwrap()), ["z", "a"]);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let service = "service a\nprogram p\n";
    for (more, what) in [
        ("prgram q", "3: `prgram` is not known"),
        ("dma", "3: `dma` wants another number of words"),
        ("kept x", "3: `kept` wants another number of words"),
        ("kept x 0", "3: `0` is no size"),
        ("kept x 99999999999999999999M", "3: `99999999999999999999` is no number"),
        ("dma 18446744073709551615M", "3: `18446744073709551615M` is no size"),
        ("priority 64", "3: `64` is no priority: they are below 64"),
        ("client", "3: `client` wants a name"),
        ("once more", "3: `once` is not known"),
        ("\nservice a", "4: there is a `a` already"),
        ("service", "3: a name is wanted"),
        ("service abcdefghijklmnopq", "3: `abcdefghijklmnopq` is too long"),
        ("client b", "0: `a` names `b`, which is no service"),
        ("share a x", "0: `a` shares `x`, which `a` does not keep"),
        ("needs a", "0: these need each other: a"),
        ("needs b\nservice b\nprogram p\nneeds a", "0: these need each other: a, b"),
    ] {
        assert_eq!(wrong(&format!("{service}{more}\n")), what);
    }
    assert_eq!(wrong("program p\n"), "1: a `service` or `template` comes first");
    assert_eq!(wrong("service a\n"), "0: `a` has no program");
}

#[test]
fn templates_have_a_name_for_each_kind() {
    let text = "template vfat msdos\nprogram fat\nblock\ndma 4M\nsaves\n";
    let manifest = Manifest::parse(text).unwrap();
    assert_eq!(manifest.template("msdos"), manifest.template("vfat"));
    assert!(manifest.template("msdos").unwrap().has(Trait::Block));
    assert!(manifest.template("ext4").is_none() && manifest.find("vfat").is_none());
}

#[test]
fn a_service_that_dies_in_vain_is_given_up_after_a_while() {
    let mut patience = Patience::default();
    let pauses = [0, 0, 10, 20, 40, 80, 160, 320, 640];
    for (nth, pause) in pauses.into_iter().enumerate() {
        let again = Verdict::Again(pause * MILLISECOND);
        assert_eq!(patience.died(false), again, "death {}", nth + 1);
    }
    assert_eq!(pauses.len() as u32 + 1, LIVES);
    assert_eq!(patience.died(false), Verdict::GiveUp);
}

#[test]
fn a_service_that_serves_is_never_given_up() {
    let mut patience = Patience::default();
    for _ in 0..1000 {
        assert_eq!(patience.died(true), Verdict::Again(0));
    }
    // And has its patience back after it has died in vain.
    for _ in 0..LIVES - 2 {
        assert!(matches!(patience.died(false), Verdict::Again(_)));
    }
    assert_eq!(patience.died(true), Verdict::Again(0));
    assert_eq!(patience.died(false), Verdict::Again(0));
}

#[test]
fn recoveries_are_told_within_an_eighth() {
    let mut times = Times::default();
    assert_eq!([times.count(), times.percentile(50), times.percentile(99)], [0; 3]);
    (1..=1000).for_each(|time| times.note(time * 1000));
    assert_eq!(times.count(), 1000);
    for (percent, is) in [(1, 10_000), (50, 500_000), (99, 990_000)] {
        let told = times.percentile(percent);
        assert!((is..=is + is / 8).contains(&told), "{percent}: {told}");
    }
    assert_eq!(times.percentile(100), 1_000_000);
    // Whatever the time, there is a place for it.
    for time in (0..64).map(|bit| 1 << bit).flat_map(|bit: u64| [bit - 1, bit]).chain([u64::MAX]) {
        let mut times = Times::default();
        times.note(time);
        assert_eq!(times.percentile(50), time);
    }
}

/// Lines of a folder's source that say something.
#[cfg(not(miri))]
fn lines(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let count = |path: std::path::PathBuf| {
        let says = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        std::fs::read_to_string(path).unwrap().lines().filter(says).count()
    };
    entries.map(|path| if path.is_dir() { lines(&path) } else { count(path) }).sum()
}

#[test]
#[cfg(not(miri))]
fn the_supervisor_is_small() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let count = lines(&root.join("user/init/src"));
    assert!(count <= 1500, "{count} lines");
}
