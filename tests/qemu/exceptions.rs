//! Every kind of exception the kernel can run into ends in a report that names it.

use crate::table::Test;
use core::arch::asm;
use core::hint::black_box;
use ochre::arch;
use ochre::layout;
use ochre::units::VirtAddr;

macro_rules! instruction {
    ($text:literal) => {
        // SAFETY: raises an exception, which ends the kernel; that is the test.
        unsafe { asm!($text, options(nostack)) }
    };
}

pub const TESTS: &[Test] = &[
    Test::panic("panic-message", "the moon is made of 42 cheeses", || {
        panic!("the moon is made of {} cheeses", black_box(42))
    }),
    Test::panic("panic-names-functions", "remember_this_name", remember_this_name),
    Test::panic("panic-in-a-panic", "the report itself failed", panic_in_a_panic),
    Test::panic("panic-in-a-log-line", "no words", || ochre::info!("{Bad}")),
    Test::panic("panic-without-end", "the report itself failed", panic_without_end),
    Test::panic("index-out-of-bounds", "index out of bounds", index_out_of_bounds),
    Test::panic("read-of-nothing", "read at 0x10: nothing is mapped there", || load(0x10)),
    Test::panic("write-of-nothing", "write at 0x10: nothing is mapped there", || store(0x10)),
    Test::panic("execution-of-nothing", "execution at 0x1000: nothing is mapped there", || {
        jump(0x1000)
    }),
    Test::panic("write-to-text", "the mapping does not allow it", || {
        store(store as *const () as u64)
    }),
    Test::panic("execution-of-data", "the mapping does not allow it", execute_data),
    Test::panic("stack-overflow", "has overflowed", stack_overflow),
    #[cfg(target_arch = "aarch64")]
    Test::panic("undefined-instruction", "undefined instruction", || instruction!("udf #0")),
    #[cfg(target_arch = "aarch64")]
    Test::panic("breakpoint", "breakpoint instruction", || instruction!("brk #1")),
    #[cfg(target_arch = "aarch64")]
    Test::panic("supervisor-call", "supervisor call", || instruction!("svc #0")),
    #[cfg(target_arch = "aarch64")]
    Test::panic("floating-point", "floating point", || instruction!(".inst 0x1e602800")),
    #[cfg(target_arch = "aarch64")]
    Test::panic("misaligned-pc", "misaligned program counter", || jump(code() + 2)),
    #[cfg(target_arch = "aarch64")]
    Test::panic("misaligned-exclusive", "not aligned", misaligned_exclusive),
    #[cfg(target_arch = "aarch64")]
    Test::panic("non-canonical", "nothing is mapped there", || load(0x00f0_0000_0000_0000)),
    // The report is made on another stack, and the backtrace's own fault there comes back to it.
    #[cfg(target_arch = "aarch64")]
    Test::panic("stack-pointer-astray", "breakpoint instruction", || {
        instruction!(
            "mov x0, #0xa000\nmovk x0, #1, lsl #16\nmov sp, x0\nmov x29, #0xffff000000000000\nmovk x29, #0x8000, lsl #32\nbrk #1"
        )
    }),
    #[cfg(target_arch = "aarch64")]
    Test::panic("illegal-state", "illegal execution state", illegal_state),
    #[cfg(target_arch = "aarch64")]
    Test::panic("single-step", "single step", single_step),
    #[cfg(target_arch = "x86_64")]
    Test::panic("divide-error", "divide error", || instruction!("xor ecx, ecx\ndiv ecx")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("single-step", "debug exception", || {
        instruction!("pushfq\nbts qword ptr [rsp], 8\npopfq\nnop")
    }),
    #[cfg(target_arch = "x86_64")]
    Test::panic("nmi", "NMI", || instruction!("int 2")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("breakpoint", "breakpoint", || instruction!("int3")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("overflow", "overflow", || instruction!("int 4")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("bound-range", "bound range exceeded", || instruction!("int 5")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("undefined-instruction", "undefined instruction", || instruction!("ud2")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("floating-point", "floating point", || instruction!("fninit")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("double-fault", "double fault", || instruction!("mov rsp, 0x1000\npush rax")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("segment-not-there", "general protection fault (code 0xd00001238)", || {
        instruction!("mov eax, 0x1238\nmov ds, eax")
    }),
    #[cfg(target_arch = "x86_64")]
    Test::panic("non-canonical", "general protection fault", || load(1 << 63)),
    #[cfg(target_arch = "x86_64")]
    Test::panic("machine-check", "machine check", || instruction!("int 18")),
    #[cfg(target_arch = "x86_64")]
    Test::panic("unused-vector", "test unused-vector: ok", || {
        instruction!("int 0x80\nint 0x21");
        panic!("test unused-vector: ok");
    }),
];

fn load(at: u64) {
    // SAFETY: raises a fault, which ends the kernel; that is the test.
    black_box(unsafe { (at as *const u8).read_volatile() });
}

fn store(at: u64) {
    // SAFETY: as in `load`.
    unsafe { (at as *mut u8).write_volatile(1) };
}

fn jump(to: u64) {
    // SAFETY: as in `load`.
    unsafe { core::mem::transmute::<u64, extern "C" fn()>(to)() };
}

#[cfg(target_arch = "aarch64")]
fn code() -> u64 {
    code as *const () as u64
}

static DATA: spin::Mutex<u64> = spin::Mutex::new(0);

fn execute_data() {
    jump(core::ptr::from_ref(&DATA) as u64);
}

#[inline(never)]
fn remember_this_name() {
    panic!("look at the backtrace");
}

struct Bad;

impl core::fmt::Display for Bad {
    fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        panic!("no words")
    }
}

/// The message of a panic panics.
fn panic_in_a_panic() {
    panic!("{Bad}");
}

/// So does the message of that panic, and so on.
fn panic_without_end() {
    struct Worse;
    impl core::fmt::Display for Worse {
        fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            panic!("{Worse}")
        }
    }
    panic!("{Worse}");
}

fn index_out_of_bounds() {
    let few = [1, 2, 3];
    black_box(few[black_box(7)]);
}

fn stack_overflow() {
    #[expect(unconditional_recursion, reason = "that is the test")]
    fn deeper(depth: u64) -> u64 {
        let room = black_box([depth; 64]);
        deeper(depth + 1) + room[3]
    }
    let guard = layout::stack_top(arch::cpu::current(), 0).0 - layout::STACK_SLOT;
    assert!(arch::probe::read(VirtAddr(guard)).is_err(), "there is no guard");
    black_box(deeper(0));
}

#[cfg(target_arch = "aarch64")]
fn misaligned_exclusive() {
    let words = [0u64; 2];
    let at = words.as_ptr() as u64 + 1;
    // SAFETY: as in `load`.
    unsafe { asm!("ldxr {0}, [{1}]", out(reg) _, in(reg) at, options(nostack)) };
}

/// Returns to a state that there is not: AArch32 at EL1.
#[cfg(target_arch = "aarch64")]
fn illegal_state() {
    instruction!("adr x0, 1f\nmsr elr_el1, x0\nmov x0, #0x1d3\nmsr spsr_el1, x0\neret\n1: nop");
}

#[cfg(target_arch = "aarch64")]
fn single_step() {
    // MDSCR_EL1.SS and KDE, and a return with PSTATE.SS set and debug exceptions let in.
    instruction!(
        "mov x0, #0x2001\nmsr mdscr_el1, x0\nadr x0, 1f\nmsr elr_el1, x0\nmov x0, #0x05\nmovk x0, #0x20, lsl #16\nmsr spsr_el1, x0\nmsr oslar_el1, xzr\nisb\neret\n1: nop\nnop"
    );
}
