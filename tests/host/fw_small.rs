//! The command line, the initrd's walk, and the boards that are known without being described.

use crate::fw_random::{Random, cases, mutate};
use ochre::boot::built_in::{Board, describe};
use ochre::boot::initrd::{check, find};
use ochre::boot::{CpuStart, InterruptController, Malformed, Options, Power, Then, unknown_words};
use ochre::log::Level;
use ochre::units::PhysAddr;

#[test]
fn words_that_are_known() {
    let options = Options::parse("  log=trace hz=1000\texit=qemu then=off test=frames::exhaust ");
    assert_eq!(options.level, Level::Trace);
    assert_eq!(options.hz, 1000);
    assert!(options.emulator);
    assert_eq!(options.then, Then::Off);
    assert_eq!(options.test.as_str(), "frames::exhaust");
    assert_eq!(Options::parse(""), Options::default());
    assert_eq!(Options::default().hz, 100);
    assert_eq!(Options::parse("log=debug quiet").level, Level::Warn);
    assert_eq!(Options::parse("then=panic then=idle").then, Then::Idle);
    assert_eq!(Options::default().init.as_str(), "ochre/init");
    assert_eq!(Options::parse("init=bin/other").init.as_str(), "bin/other");
    assert_eq!(Options::parse("run=ipc count=9 seed=1"), Options::default());
    assert_eq!(unknown_words("run=ipc count=9 seed=1 run= count").count(), 2);
}

#[test]
fn words_that_are_not() {
    let line = "log=loud hz=0 hz=1001 hz=-1 hz= exit=bochs then=what test= quiet=1 foo hz=5";
    let bad: Vec<_> = unknown_words(line).collect();
    let expected =
        ["log=loud", "hz=0", "hz=1001", "hz=-1", "hz=", "exit=bochs", "then=what", "test="];
    assert_eq!(bad, expected);
    assert_eq!(Options::parse(line), Options { hz: 5, ..Options::default() });
    assert_eq!(unknown_words("quiet log=info then=idle").count(), 0);
    assert_eq!(unknown_words(&format!("test={}", "n".repeat(41))).count(), 1);
}

fn entry(name: &str, data: &[u8]) -> Vec<u8> {
    let mut fields = [0; 13];
    fields[6] = data.len();
    fields[11] = name.len() + 1;
    let fields: String = fields.iter().map(|field| format!("{field:08X}")).collect();
    let mut entry = format!("070701{fields}{name}\0").into_bytes();
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry.extend(data);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}

fn archive() -> Vec<u8> {
    let entries = [entry("init", b"\x7fELF!"), entry("etc", b""), entry("etc/motd", &[b'x'; 999])];
    [entries.concat(), entry("TRAILER!!!", b""), vec![0; 512]].concat()
}

const NO_HEADER: Malformed = "no cpio header";
const CUT_SHORT: Malformed = "an entry is cut short";

#[test]
fn initrds() {
    assert_eq!(check(&archive()), Ok(3));
    assert_eq!(check(&entry("TRAILER!!!", b"")), Ok(0));
    assert_eq!(check(&[0x1f, 0x8b, 8, 0]), Err("compressed: not supported yet"));
    assert_eq!(check(b""), Err(NO_HEADER));
    assert_eq!(check(&[0; 4096]), Err(NO_HEADER));
    let second = entry("init", b"\x7fELF!").len();
    assert_eq!(check(&archive()[..second]), Err(NO_HEADER));
    assert_eq!(check(&archive()[..second - 4]), Err(CUT_SHORT));
    let mut lying = archive();
    lying[second + 54..second + 62].copy_from_slice(b"FFFFFFFF");
    assert_eq!(check(&lying), Err(CUT_SHORT));
    lying[second + 54..second + 62].copy_from_slice(b"0000000G");
    assert_eq!(check(&lying), Err(NO_HEADER));
}

#[test]
fn files_in_initrds() {
    assert_eq!(find(&archive(), "init"), Some(&b"\x7fELF!"[..]));
    assert_eq!(find(&archive(), "etc/motd"), Some(&[b'x'; 999][..]));
    assert_eq!(find(&archive(), "etc"), Some(&b""[..]));
    for absent in ["", "ini", "init\0", "/init", "motd", "TRAILER!!!"] {
        assert_eq!(find(&archive(), absent), None, "{absent}");
    }
    let twice = [entry("a", b"first"), entry("a", b"second"), entry("TRAILER!!!", b"")].concat();
    assert_eq!(find(&twice, "a"), Some(&b"first"[..]));
    // What comes before the damage is found, what lies behind it is not.
    let second = entry("init", b"\x7fELF!").len();
    assert_eq!(find(&archive()[..second], "init"), Some(&b"\x7fELF!"[..]));
    assert_eq!(find(&archive()[..second], "etc/motd"), None);
}

#[test]
fn mutated_initrds_and_command_lines() {
    for case in 0..cases(10_000) {
        let mut random = Random::new(case);
        let mut archive = archive();
        mutate(&mut archive, &mut random);
        assert!(check(&archive).is_err() || check(&archive) <= Ok(3));
        assert!(find(&archive, "etc/motd").is_none_or(|file| file.len() <= archive.len()));
        let mut line = b"log=trace hz=1000 exit=qemu then=off test=name quiet".to_vec();
        mutate(&mut line, &mut random);
        let line = String::from_utf8_lossy(&line);
        assert!((1..=1000).contains(&Options::parse(&line).hz));
        assert!(unknown_words(&line).count() <= 8);
    }
}

#[test]
fn boards() {
    let pi3 = describe(Board::Pi3, 0x8000_0002);
    let cpus: Vec<_> = pi3.cpus.iter().map(|cpu| (cpu.hardware_id, cpu.start)).collect();
    let spin = |at| CpuStart::SpinTable(PhysAddr(at));
    assert_eq!(cpus, [(2, CpuStart::Boot), (0, spin(0xd8)), (1, spin(0xe0)), (3, spin(0xf0))]);
    assert_eq!(pi3.interrupts, InterruptController::Bcm2836(PhysAddr(0x4000_0000)));
    assert_eq!(pi3.memory[..], [PhysAddr(0)..PhysAddr(448 << 20)]);
    assert_eq!(describe(Board::Pi4, 0).power, Power::Bcm2835(PhysAddr(0xfe10_0000)));
    let virt = describe(Board::Virt, 0);
    assert_eq!(virt.source, "built-in description");
    assert_eq!((virt.cpus.len(), virt.memory[0].start), (1, PhysAddr(0x4000_0000)));
}
