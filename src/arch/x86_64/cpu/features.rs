//! What this CPU can do beyond what every 64-bit CPU can, and the control registers that make use
//! of it. All CPUs are taken to be alike: the boot CPU is asked, once.

use ::x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags};
use arrayvec::ArrayString;
use bitflags::bitflags;
use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};
use spin::Once;

bitflags! {
    /// What the kernel uses where the CPU has it. The names are those of the boot report.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(in super::super) struct Features: u32 {
        /// Execution can be forbidden. `boot.S` insists on it.
        const NX = 1;
        /// The kernel cannot execute what user code can.
        const SMEP = 1 << 1;
        /// The kernel cannot touch what user code can, unless it says so.
        const SMAP = 1 << 2;
        /// User code cannot ask where the kernel's tables are.
        const UMIP = 1 << 3;
        /// Translations that are the same everywhere survive a switch of address spaces.
        const PGE = 1 << 4;
        /// The local APIC is reached through MSRs.
        const X2APIC = 1 << 6;
        /// The time stamp counter counts evenly, whatever the CPU does.
        const STEADY_TSC = 1 << 8;
        /// Pages of 1 GiB.
        const PAGES_1G = 1 << 9;
    }
}

static FEATURES: Once<Features> = Once::new();

/// What the CPU can do.
pub(in super::super) fn get() -> Features {
    *FEATURES.call_once(read)
}

/// CPUID's answer, from eax to edx, or zeroes where it does not have this leaf.
pub(in super::super) fn cpuid(leaf: u32) -> [u32; 4] {
    if leaf > __cpuid(leaf & 0x8000_0000).eax {
        return [0; 4];
    }
    let CpuidResult { eax, ebx, ecx, edx } = __cpuid_count(leaf, 0);
    [eax, ebx, ecx, edx]
}

/// What the CPU calls itself; nothing else in a PC has a name that is easy to come by.
pub(in super::super) fn brand() -> ArrayString<48> {
    let registers = (0x8000_0002..=0x8000_0004).flat_map(cpuid);
    let bytes = registers.flat_map(u32::to_le_bytes).take_while(|&byte| byte != 0);
    let mut name = ArrayString::new();
    // Padding comes first; 48 ASCII characters fit.
    for byte in bytes.filter(u8::is_ascii).skip_while(|&byte| byte == b' ') {
        name.push(byte.into());
    }
    name
}

/// Each with the leaf that tells of it, the register there, from eax to edx, and the bit (Intel SDM vol. 2,
/// CPUID; AMD APM vol. 3, appendix E); and what switches it on, if that is in CR4.
const KNOWN: [(Features, (u32, usize, u32), Cr4Flags); 8] = [
    (Features::NX, (0x8000_0001, 3, 20), Cr4Flags::empty()),
    (Features::SMEP, (7, 1, 7), Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION),
    (Features::SMAP, (7, 1, 20), Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION),
    (Features::UMIP, (7, 2, 2), Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION),
    (Features::PGE, (1, 3, 13), Cr4Flags::PAGE_GLOBAL),
    (Features::X2APIC, (1, 2, 21), Cr4Flags::empty()),
    (Features::STEADY_TSC, (0x8000_0007, 3, 8), Cr4Flags::empty()),
    (Features::PAGES_1G, (0x8000_0001, 3, 26), Cr4Flags::empty()),
];

fn read() -> Features {
    let has = |&(_, (leaf, register, bit), _): &(_, (u32, usize, u32), _)| {
        cpuid(leaf)[register] >> bit & 1 == 1
    };
    KNOWN.into_iter().filter(has).map(|(feature, ..)| feature).collect()
}

/// Sets this CPU's control registers. NX and WP are on since the first page table; FPU instructions
/// trap until `fpu_on`. User code may use x87 and SSE then, and the time stamp counter at any time; it
/// gets no larger registers, and changes the bases of FS and GS by calls.
pub(in super::super) fn switch_on() {
    let wanted = KNOWN.into_iter().filter(|&(feature, ..)| get().contains(feature));
    let cr4 = wanted.map(|(.., flag)| flag).collect::<Cr4Flags>()
        | Cr4Flags::PHYSICAL_ADDRESS_EXTENSION
        | Cr4Flags::MACHINE_CHECK_EXCEPTION
        | Cr4Flags::OSFXSR
        | Cr4Flags::OSXMMEXCPT_ENABLE;
    let cr0 = Cr0Flags::PROTECTED_MODE_ENABLE
        | Cr0Flags::MONITOR_COPROCESSOR
        | Cr0Flags::TASK_SWITCHED
        | Cr0Flags::NUMERIC_ERROR
        | Cr0Flags::WRITE_PROTECT
        | Cr0Flags::PAGING;
    // SAFETY: the kernel maps nothing for user code that it uses itself, and uses no FPU.
    unsafe {
        Cr4::write(cr4);
        Cr0::write(cr0);
    }
}
