//! The local APIC of each CPU (Intel SDM vol. 3, chapter 10): through MSRs in x2APIC mode where the
//! CPU has it, else through a page of registers. Without either, everything here does nothing.

use super::super::cpu::features::{self, Features};
use super::SPURIOUS;
use crate::dev::Mmio;
use ::x86_64::instructions::interrupts::without_interrupts;
use ::x86_64::registers::model_specific::{ApicBase, ApicBaseFlags, Msr};
use core::arch::asm;
use spin::Once;

/// Registers, by their offset in the page; the MSR's number is `X2APIC` plus a sixteenth of it.
const ID: u32 = 0x20;
const TASK_PRIORITY: u32 = 0x80;
const END_OF_INTERRUPT: u32 = 0xb0;
const SPURIOUS_VECTOR: u32 = 0xf0;
const ERROR_STATUS: u32 = 0x280;
const COMMAND: u32 = 0x300;
const COMMAND_TARGET: u32 = 0x310;
const LVT_TIMER: u32 = 0x320;
const LVT_LINT0: u32 = 0x350;
const LVT_LINT1: u32 = 0x360;
const TIMER_INITIAL: u32 = 0x380;
const TIMER_CURRENT: u32 = 0x390;
const TIMER_DIVIDE: u32 = 0x3e0;

const X2APIC: u32 = 0x800;

const SOFTWARE_ENABLE: u32 = 1 << 8;
const MASKED: u32 = 1 << 16;
const DELIVER_NMI: u32 = 0b100 << 8;
const DIVIDE_BY_1: u32 = 0b1011;

/// What `send` can send: a fixed vector is its own number.
pub(in super::super) const NMI: u32 = ASSERT | DELIVER_NMI;
pub(in super::super) const INIT: u32 = ASSERT | 0b101 << 8;
/// Together with the number of the page to start in.
pub(in super::super) const STARTUP: u32 = ASSERT | 0b110 << 8;
const ASSERT: u32 = 1 << 14;
/// The command has not been taken by the bus yet.
const SENDING: u32 = 1 << 12;

/// How often to ask whether a command has been taken.
const PATIENCE: u32 = 1_000_000;

/// How the registers are reached.
enum Registers {
    X2Apic,
    Page(Mmio),
}

static REGISTERS: Once<Registers> = Once::new();

/// Takes the local APICs over: in x2APIC mode where the CPU can, else through the page that `page`
/// maps. True if one of them works out.
pub(in super::super) fn init(page: impl FnOnce() -> Option<Mmio>) -> bool {
    let registers = match features::get().contains(Features::X2APIC) {
        true => Some(Registers::X2Apic),
        false => page().map(Registers::Page),
    };
    registers.map(|registers| REGISTERS.call_once(|| registers)).is_some()
}

/// Switches on the one of the CPU we run on, with all its own sources masked but the NMI line.
pub(in super::super) fn init_cpu() {
    let Some(registers) = REGISTERS.get() else { return };
    let mut base = ApicBase::MSR;
    // SAFETY: switches the local APIC on, in the mode in which it is then used: from off to x2APIC
    // mode it goes in two steps (SDM vol. 3, 10.12.5). A firmware that left it in x2APIC mode did so
    // on a CPU that has it.
    unsafe {
        base.write(base.read() | ApicBaseFlags::LAPIC_ENABLE.bits());
        if let Registers::X2Apic = registers {
            base.write(base.read() | ApicBaseFlags::X2APIC_ENABLE.bits());
        }
    }
    // While it is switched off by software, all its own sources are masked, and stay so (10.4.7.2).
    write(SPURIOUS_VECTOR, SPURIOUS.into());
    write(SPURIOUS_VECTOR, SOFTWARE_ENABLE | u32::from(SPURIOUS));
    write(TASK_PRIORITY, 0);
    write(LVT_LINT0, MASKED);
    write(LVT_LINT1, DELIVER_NMI);
    write(ERROR_STATUS, 0);
}

/// The ID of the one of the CPU we run on.
pub(in super::super) fn id() -> u32 {
    match REGISTERS.get() {
        Some(Registers::X2Apic) => read(ID),
        Some(Registers::Page(_)) => read(ID) >> 24,
        // Leaf 1 has eight bits of it, leaf 0Bh all, where it exists.
        None => match features::cpuid(0xb) {
            [_, 0, ..] => features::cpuid(1)[1] >> 24,
            [.., id] => id,
        },
    }
}

/// The interrupt being served is over.
pub(in super::super) fn end_of_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

/// Sends an interrupt to the CPU with the APIC ID `target`.
pub(in super::super) fn send(target: u32, command: u32) -> Result<(), &'static str> {
    match REGISTERS.get() {
        None => Err("there is no local APIC"),
        Some(Registers::X2Apic) => {
            // SAFETY: barriers: unlike a store, this write does not wait for earlier stores to be
            // seen (SDM vol. 3, 10.12.3). The command is the caller's.
            unsafe {
                asm!("mfence", "lfence", options(nostack, preserves_flags));
                Msr::new(X2APIC + (COMMAND >> 4))
                    .write(u64::from(target) << 32 | u64::from(command));
            }
            Ok(())
        }
        Some(Registers::Page(_)) if target > 0xff => Err("its APIC ID needs x2APIC mode"),
        // An interrupt between the two writes might send something itself.
        Some(Registers::Page(_)) => without_interrupts(|| {
            write(COMMAND_TARGET, target << 24);
            write(COMMAND, command);
            let sent = (0..PATIENCE).any(|_| read(COMMAND) & SENDING == 0);
            if sent { Ok(()) } else { Err("the APIC bus does not take the command") }
        }),
    }
}

/// Has the timer raise `vector`, if one is given, when what `set_count` says has been counted down.
pub(in super::super) fn timer_by_count(vector: Option<u8>) {
    write(TIMER_DIVIDE, DIVIDE_BY_1);
    write(LVT_TIMER, vector.map_or(MASKED, u32::from));
}

/// Zero for none.
pub(in super::super) fn set_count(count: u32) {
    write(TIMER_INITIAL, count);
}

/// What is left of the count.
pub(in super::super) fn timer_count() -> u32 {
    read(TIMER_CURRENT)
}

fn read(register: u32) -> u32 {
    match REGISTERS.get() {
        // SAFETY: a register of the local APIC, which is in x2APIC mode.
        Some(Registers::X2Apic) => unsafe { Msr::new(X2APIC + (register >> 4)).read() as u32 },
        Some(Registers::Page(page)) => page.read(register.into()),
        None => 0,
    }
}

fn write(register: u32, value: u32) {
    match REGISTERS.get() {
        // SAFETY: as in `read`; what is written is what this file is about.
        Some(Registers::X2Apic) => unsafe {
            Msr::new(X2APIC + (register >> 4)).write(value.into())
        },
        Some(Registers::Page(page)) => page.write(register.into(), value),
        None => {}
    }
}
