//! Interrupts: local APICs, the first I/O APIC, and the legacy PICs, which are put out of the way.
//!
//! | vectors | what |
//! |---|---|
//! | 0x00..0x20 | exceptions |
//! | 0x20..0x30 | the PICs: masked, so at most a spurious one |
//! | 0x30..0xf0 | the I/O APIC's lines |
//! | 0xf0.. | IPI, TLB shootdown, timer, spurious |

pub(super) mod apic;
mod ioapic;

use super::tlb;
use crate::boot::{BootInfo, InterruptController};
use crate::dev::Windows;
use crate::units::{Cause, CpuId, MAX_CPUS};
use core::sync::atomic::{AtomicBool, Ordering};
use ioapic::IoApic;
use pic8259::ChainedPics;
use spin::Once;

const PICS: u8 = 0x20;
const LINES: u8 = 0x30;
const IPI: u8 = 0xf0;
pub(super) const SHOOTDOWN: u8 = 0xf1;
pub(super) const TIMER: u8 = 0xf2;
/// The low four bits are ones, as the oldest APICs insist (SDM vol. 3, 10.9).
pub(super) const SPURIOUS: u8 = 0xff;

/// The machine's controllers.
struct State {
    io: Option<IoApic>,
    /// The APIC IDs of the CPUs.
    cpus: [u32; MAX_CPUS],
}

static STATE: Once<State> = Once::new();

/// Set before the NMIs of `stop_others`, read by who gets one: an NMI is a stop, or it is trouble.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Prepares the controllers, with everything masked; `map` makes windows to their registers.
pub fn init(info: &BootInfo, map: &mut Windows<'_>) {
    disable_pics();
    let InterruptController::Apic { local, io, kinds } = info.interrupts else {
        return crate::warn!("no local APIC: no timer ticks, and one CPU");
    };
    if !apic::init(|| map(local, 0x1000)) {
        return crate::warn!("the local APIC cannot be mapped: no timer ticks, and one CPU");
    }
    // The clock is measured before this CPU takes part, with its timer among others.
    apic::init_cpu();
    let mut cpus = [0; MAX_CPUS];
    cpus.iter_mut().zip(&info.cpus).for_each(|(slot, cpu)| *slot = cpu.hardware_id as u32);
    let io = io.and_then(|at| map(at, 0x1000)).map(|registers| IoApic::new(registers, kinds));
    STATE.call_once(|| State { io, cpus });
}

/// Prepares the local APIC of the CPU we run on, which takes IPIs from here on.
pub fn init_cpu(_id: CpuId) {
    apic::init_cpu();
    tlb::join();
}

/// The I/O APIC, and the boot CPU to which its lines lead.
fn controller() -> Option<(&'static IoApic, u32)> {
    STATE.get().and_then(|state| Some((state.io.as_ref()?, state.cpus[CpuId::BOOT.index()])))
}

/// Whether the kernel has no use for the line: it has none for any, as its timer and its IPIs do not
/// pass through the I/O APIC, and its console is not one that interrupts.
pub fn is_free(line: u32) -> bool {
    controller().is_some_and(|(io, _)| line < io.lines.min((IPI - LINES).into()))
}

/// Lets a line through, to the boot CPU.
pub fn unmask(line: u32) {
    if let Some((io, target)) = controller().filter(|_| is_free(line)) {
        io.unmask(line, LINES + line as u8, target);
    }
}

/// Keeps a line out. One that stays active until its device has been dealt with must be kept out
/// before `end`, or it comes again at once. One that works by edges is deaf in the meantime: who
/// lets it through again looks at the device once more after that.
pub fn mask(line: u32) {
    if let Some((io, _)) = controller().filter(|_| is_free(line)) {
        io.mask(line);
    }
}

/// What came in at a vector that is no exception's.
pub(super) fn cause(vector: u8) -> Cause {
    match vector {
        TIMER => Cause::Timer,
        IPI => Cause::Ipi,
        // Nothing is left to do: another CPU asked for it, and only TLBs are concerned.
        SHOOTDOWN => {
            tlb::serve();
            Cause::Spurious
        }
        LINES..IPI => Cause::Device((vector - LINES).into()),
        _ => Cause::Spurious,
    }
}

/// Whether an NMI means that this CPU is to stop.
pub(super) fn stopping() -> bool {
    STOPPING.load(Ordering::Acquire)
}

/// The interrupt of this frame has been served. The PICs' and the spurious ones are not the local
/// APIC's to end.
pub fn end(token: u64) {
    if (u64::from(LINES)..=TIMER.into()).contains(&token) {
        apic::end_of_interrupt();
    }
}

/// Interrupts another CPU.
pub fn send_ipi(id: CpuId) {
    send(id, IPI);
}

/// Stops all other CPUs, whatever they are doing: an NMI cannot be kept out. Complains of nothing, as
/// the log may be what one of them, or a panic on this one, will never let go of.
pub fn stop_others() {
    STOPPING.store(true, Ordering::Release);
    for id in tlb::others() {
        let _ = try_send(id, apic::NMI);
    }
    tlb::leave_alone();
}

/// Raises a vector on another CPU.
pub(super) fn send(id: CpuId, vector: u8) {
    if let Err(why) = try_send(id, vector.into()) {
        crate::warn!("CPU {}: {why}", id.0);
    }
}

fn try_send(id: CpuId, command: u32) -> Result<(), &'static str> {
    STATE.get().map_or(Ok(()), |state| apic::send(state.cpus[id.index()], command))
}

/// Moves the PICs' interrupts away from the exceptions, as a masked PIC may still raise a spurious
/// one, and masks them all.
fn disable_pics() {
    // SAFETY: the vectors are set aside for the PICs; nobody else uses them.
    unsafe {
        let mut pics = ChainedPics::new_contiguous(PICS);
        pics.initialize();
        pics.disable();
    }
}
