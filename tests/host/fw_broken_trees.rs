//! Device trees that are not well formed, one way at a time, and ten thousand ways at random.

use crate::fw_device_tree::{EL2, GICV2, GICV3, RPI3, RPI4};
use crate::fw_random::{Random, cases, mutate};
use crate::fw_tree::Tree;
use ochre::boot::device_tree::{read, total_size};

#[track_caller]
fn refused(blob: &[u8], what: &'static str) {
    assert_eq!(read(blob, 0).unwrap_err(), what);
}

fn with_word(at: usize, word: u32) -> Vec<u8> {
    let mut blob = GICV2.to_vec();
    blob[at..at + 4].copy_from_slice(&word.to_be_bytes());
    blob
}

#[test]
fn headers() {
    let header = |blob: &[u8]| read(blob, 0).unwrap_err();
    assert_eq!(header(&[]), "cut short");
    assert_eq!(header(&[0; 64]), "not found");
    assert_eq!(header(&GICV2[..6]), "cut short");
    assert_eq!(header(&GICV2[..100]), "longer than its memory");
    let cases = [
        (4, 39, "impossible total size"),
        (4, u32::MAX, "impossible total size"),
        (8, u32::MAX, "structure block outside of it"),
        (12, 0x1d80, "strings block outside of it"),
        (16, u32::MAX, "reservation block without end"),
        (16, GICV2.len() as u32 - 15, "reservation block without end"),
        (20, 16, "unknown version"),
        (24, 18, "unknown version"),
        (32, u32::MAX, "strings block outside of it"),
        (36, u32::MAX, "structure block outside of it"),
    ];
    for (at, word, what) in cases {
        assert_eq!(header(&with_word(at, word)), what, "{word:#x} at {at}");
    }
    assert_eq!(total_size(&GICV2[..8]), Ok(GICV2.len()));
}

#[test]
fn structures() {
    refused(&Tree::new().end().raw(), "cut short");
    refused(&Tree::new().end().node("x").end().word(9).raw(), "a second root");
    refused(&Tree::new().end().end().word(9).raw(), "not a token");
    refused(&Tree::new().word(9).raw(), "ends too early");
    refused(&Tree::new().end().word(9).word(4).raw(), "ends too early");
    refused(&Tree::new().word(5).build(), "not a token");
    refused(&Tree::new().node("").end().build(), "only the root has no name");
    refused(&Tree::new().node("a b").end().build(), "a node's name is not one");
    refused(&Tree::new().node(&"n".repeat(128)).end().build(), "a node's name is not one");
    refused(&Tree::new().node("a").end().cells("x", &[]).build(), "a property outside of its node");
    refused(&Tree::new().property("", &[]).build(), "a property's name is not one");
    refused(&Tree::new().word(3).word(0).word(99).build(), "a property's name is not one");
    let long = Tree::new().cells("x", &[]).word(3).word(u32::MAX).word(0).build();
    refused(&long, "longer than the tree");
}

#[test]
fn nesting() {
    let nested = |depth| {
        let tree = (0..depth).fold(Tree::new(), |tree, _| tree.node("n"));
        (0..depth).fold(tree, |tree, _| tree.end()).build()
    };
    assert!(read(&nested(15), 0).is_ok());
    refused(&nested(16), "nested too deep");
    assert!(read(&nested(if cfg!(miri) { 200 } else { 20_000 }), 0).is_err());
}

/// A tree cut anywhere is refused: no half of it is believed.
#[test]
fn truncated_anywhere() {
    let step = if cfg!(miri) { 997 } else { 1 };
    for length in (0..RPI3.len()).step_by(step) {
        assert!(read(&RPI3[..length], 0).is_err(), "cut to {length} bytes");
        // With a total size that knows of the cut.
        let mut blob = RPI3[..length].to_vec();
        if let Some(size) = blob.get_mut(4..8) {
            size.copy_from_slice(&(length as u32).to_be_bytes());
        }
        assert!(read(&blob, 0).is_err(), "cut to {length} bytes, and honest");
    }
}

/// What passes is in order, whatever was said; what does not, is refused. The time this takes is
/// the bound on the work per tree.
#[test]
fn mutated() {
    let seeds = [GICV2, GICV3, EL2, RPI3, RPI4];
    let mut passed = 0;
    for case in 0..cases(10_000) {
        let mut random = Random::new(case);
        let mut blob = seeds[case as usize % seeds.len()].to_vec();
        mutate(&mut blob, &mut random);
        if let Ok(info) = read(&blob, 0) {
            passed += 1;
            assert!(!info.cpus.is_empty());
            assert!(info.memory.iter().all(|bank| bank.start < bank.end));
            assert!(info.memory.windows(2).all(|pair| pair[0].end < pair[1].start));
            assert!(info.reserved.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
    // Enough get past the check to try the readers behind it.
    assert!(cfg!(miri) || passed > 1_000, "{passed}");
}

/// The worst trees there are room for: the work grows with their size and not with its square.
#[test]
fn heavy_trees() {
    if cfg!(miri) {
        return;
    }
    let long_name = "n".repeat(120);
    let mut properties = Tree::machine().cells(&long_name, &[]);
    for _ in 0..50_000 {
        properties = properties.word(3).word(0).word(30);
    }
    let begun = std::time::Instant::now();
    assert!(read(&properties.build(), 0).is_ok());
    let uarts = (0..20_000).fold(Tree::machine(), |tree, at| {
        tree.node("u").text("compatible", "arm,pl011").cells("reg", &[0, at, 0, 1]).end()
    });
    assert!(read(&uarts.build(), 0).is_ok());
    let nops = (0..100_000).fold(Tree::machine(), |tree, _| tree.word(4));
    assert!(read(&nops.build(), 0).is_ok());
    let reserved = (0..50_000).fold(Tree::machine(), |tree, at| tree.reserve(at << 13, 1));
    assert!(read(&reserved.build(), 0).is_ok());
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
