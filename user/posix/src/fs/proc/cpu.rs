//! Files about processors.

use super::Subject;
use crate::errno::Result;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub fn cpuinfo(_: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for cpu in 0..rt::machine().cpus()? {
        text += &format!("processor\t: {cpu}\n{}\n", facts());
    }
    Ok(text.into_bytes())
}

/// What is known of each: a program may not read the registers that tell more.
#[cfg(target_arch = "aarch64")]
fn facts() -> String {
    "Features\t: fp asimd\nCPU architecture: 8\n".into()
}

/// What is known of each, from the CPUID instruction.
#[cfg(target_arch = "x86_64")]
fn facts() -> String {
    use core::arch::x86_64::{__cpuid, CpuidResult};
    /// Names of the bits in EDX of leaf 1, the lowest first.
    const FLAGS: &str = "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 \
                         pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe";
    /// Where the name of the processor is, in three leaves.
    const NAME: core::ops::RangeInclusive<u32> = 0x8000_0002..=0x8000_0004;
    let text = |words: &[u32]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        String::from(String::from_utf8_lossy(&bytes).trim_matches([' ', '\0']))
    };
    let (vendor, signature) = (__cpuid(0), __cpuid(1));
    let named = __cpuid(0x8000_0000).eax >= *NAME.end();
    let name: Vec<u32> = NAME
        .filter(|_| named)
        .flat_map(|leaf| {
            let CpuidResult { eax, ebx, ecx, edx } = __cpuid(leaf);
            [eax, ebx, ecx, edx]
        })
        .collect();
    let bits = FLAGS.split_ascii_whitespace().enumerate();
    let flags: Vec<&str> = bits
        .filter(|&(bit, name)| signature.edx >> bit & 1 != 0 && name != "-")
        .map(|(_, name)| name)
        .collect();
    let field = |low: u32, bits: u32| signature.eax >> low & ((1 << bits) - 1);
    format!(
        "vendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\nstepping\t: {}\n\
         flags\t\t: {}\n",
        text(&[vendor.ebx, vendor.edx, vendor.ecx]),
        field(8, 4) + if field(8, 4) == 15 { field(20, 8) } else { 0 },
        field(4, 4) | field(16, 4) << 4,
        text(&name),
        field(0, 4),
        flags.join(" ")
    )
}
