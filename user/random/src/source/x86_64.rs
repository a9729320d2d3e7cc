//! The CPU's own: RDSEED, which may have nothing for a moment, and RDRAND.

use super::{Source, collect};
use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};

/// Where CPUID says of them (Intel SDM, volume 2, CPUID): leaf 1, ECX; leaf 7, EBX.
const RDRAND: u32 = 1 << 30;
const RDSEED: u32 = 1 << 18;
/// How often to ask until there is something: more often than Intel says is needed (SDM, volume 1, 7.3.17).
const ATTEMPTS: usize = 100;

/// The better of those that it has.
pub fn source() -> Option<Source> {
    let most = __cpuid(0).eax;
    if most >= 7 && __cpuid_count(7, 0).ebx & RDSEED != 0 {
        return Some(Source::new("RDSEED", || collect(|| (0..ATTEMPTS).find_map(|_| rdseed()))));
    }
    (__cpuid(1).ecx & RDRAND != 0)
        .then(|| Source::new("RDRAND", || collect(|| (0..ATTEMPTS).find_map(|_| rdrand()))))
}

fn rdseed() -> Option<u64> {
    let (word, is_there): (u64, u8);
    // SAFETY: the CPU has it, and it changes nothing but a register and the carry flag.
    unsafe { asm!("rdseed {}", "setc {}", out(reg) word, out(reg_byte) is_there) };
    (is_there != 0).then_some(word)
}

fn rdrand() -> Option<u64> {
    let (word, is_there): (u64, u8);
    // SAFETY: as above.
    unsafe { asm!("rdrand {}", "setc {}", out(reg) word, out(reg_byte) is_there) };
    (is_there != 0).then_some(word)
}
