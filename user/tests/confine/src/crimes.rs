//! What no user code may do: each in a process of its own, which it must be the end of.

use crate::{Test, World};
use core::arch::asm;
use rt::abi::{EXIT_FAULT, Error};

pub const TESTS: &[Test] = &[("crimes", crimes), ("no-crime", no_crime)];

type Crime = (&'static str, fn());

/// The role that does nothing wrong: the first that has no crime.
const INNOCENT: u64 = 100;
const INNOCENT_CODE: u64 = 0x1234;

/// Addresses that are the kernel's, nobody's, or not even addresses.
const FORBIDDEN: [u64; 12] = [
    0,
    8,
    0x1000,
    0x0000_7fff_ffff_f000,
    0x0000_8000_0000_0000,
    0x00ff_0000_0000_0000,
    0xffff_0000_0000_0000,
    0xffff_8000_0000_0000,
    0xffff_8000_4000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_a000_0000,
    0xffff_ffff_ffff_fff8,
];

const CRIMES: &[Crime] = &[
    ("own code written", || write(0x20_0000)),
    ("stack executed", execute_stack),
    ("stack exhausted", || exhaust(1)),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::system_register),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::write_system_register),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::interrupts_off),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::exception_return),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::tlb),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::cache),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::firmware),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::hypervisor),
    #[cfg(target_arch = "aarch64")]
    ("privileged", privileged::semihosting),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::halt),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::interrupts_off),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::port),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::exit_port),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::control_register),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::table),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::model_register),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::interrupt_gate),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::timer_gate),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::segment),
    #[cfg(target_arch = "x86_64")]
    ("privileged", privileged::far_return),
    ("undefined", undefined),
    ("foreign call", foreign),
];

fn crimes(world: &World) -> Result<(), Error> {
    let count = 3 * FORBIDDEN.len() + CRIMES.len();
    for crime in 1..=count as u64 {
        let outcome = world.ends_with(crime, EXIT_FAULT);
        if outcome.is_err() {
            rt::println!("  crime {crime}: {}", name(crime));
        }
        outcome?;
    }
    Ok(())
}

/// A child that does nothing wrong ends as it likes: so it is the crimes that end the others.
fn no_crime(world: &World) -> Result<(), Error> {
    world.ends_with(INNOCENT, INNOCENT_CODE)
}

fn name(crime: u64) -> &'static str {
    let index = crime as usize - 1;
    match index / FORBIDDEN.len() {
        0 => "read",
        1 => "write",
        2 => "jump",
        _ => CRIMES[index - 3 * FORBIDDEN.len()].0,
    }
}

/// Commits a crime. Nothing should come after it.
pub fn act(crime: u64) -> u64 {
    if crime == INNOCENT {
        return INNOCENT_CODE;
    }
    let index = crime as usize - 1;
    let address = FORBIDDEN[index % FORBIDDEN.len()];
    match index / FORBIDDEN.len() {
        0 => read(address),
        1 => write(address),
        2 => jump(address),
        _ => CRIMES[index - 3 * FORBIDDEN.len()].1(),
    }
    0
}

fn read(address: u64) {
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("ldr {0}, [{0}]", inout(reg) address => _)
    };
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov {0}, [{0}]", inout(reg) address => _)
    };
}

fn write(address: u64) {
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("str {0}, [{0}]", in(reg) address)
    };
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov [{0}], {0}", in(reg) address)
    };
}

fn jump(address: u64) {
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("blr {0}", in(reg) address, out("x30") _)
    };
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("call {0}", in(reg) address)
    };
}

fn execute_stack() {
    // A return, as each architecture has it.
    let code: [u64; 2] = if cfg!(target_arch = "aarch64") { [0xd65f_03c0; 2] } else { [0xc3; 2] };
    jump(core::hint::black_box(&code).as_ptr() as u64);
}

#[inline(never)]
fn exhaust(depth: u64) {
    let room = [depth; 64];
    if depth == u64::MAX {
        return;
    }
    exhaust(core::hint::black_box(&room)[3] + 1);
    core::hint::black_box(&room);
}

fn undefined() {
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("udf #7")
    };
    // SAFETY: none; it has to fault.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("ud2")
    };
}

/// Nobody handles the foreign calls of this process.
fn foreign() {
    // SAFETY: none; it has to fault.
    unsafe { rt::arch::foreign_syscall(1, [0; 6]) };
}

/// Instructions that are not for user code.
mod privileged {
    use core::arch::asm;

    macro_rules! instructions {
        ($($arch:literal: $name:ident $($text:literal),+;)+) => {$(
            #[cfg(target_arch = $arch)]
            pub fn $name() {
                // SAFETY: none; it has to fault.
                unsafe { asm!($($text),+) };
            }
        )+};
    }

    instructions! {
        "aarch64": system_register "mrs x0, sctlr_el1";
        "aarch64": write_system_register "msr ttbr0_el1, xzr";
        "aarch64": interrupts_off "msr daifset, #15";
        "aarch64": exception_return "eret";
        "aarch64": tlb "tlbi vmalle1";
        "aarch64": cache "dc isw, xzr";
        "aarch64": firmware "mov x0, #0x84000000", "add x0, x0, #8", "smc #0";
        "aarch64": hypervisor "mov x0, #0x84000000", "add x0, x0, #8", "hvc #0";
        "aarch64": semihosting "mov x0, #0x18", "mov x1, #0", "hlt #0xf000";
        "x86_64": halt "hlt";
        "x86_64": interrupts_off "cli";
        "x86_64": port "mov dx, 0x3f8", "in al, dx";
        "x86_64": exit_port "mov dx, 0xf4", "mov al, 0x10", "out dx, al";
        "x86_64": control_register "xor eax, eax", "mov cr3, rax";
        "x86_64": table "lidt [rsp]";
        "x86_64": model_register "mov ecx, 0xc0000082", "xor eax, eax", "xor edx, edx", "wrmsr";
        "x86_64": interrupt_gate "int 0x0d";
        "x86_64": timer_gate "int 0x20";
        "x86_64": segment "mov ax, 8", "mov ss, ax";
        "x86_64": far_return "push 8", "lea rax, [rip + 2f]", "push rax", "retfq", "2:";
    }
}
