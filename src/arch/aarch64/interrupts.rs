//! Interrupt controllers: which one this machine has, and what the kernel asks of it.
//!
//! The kernel itself uses two interrupts, its timer and one IPI; devices' lines are for processes.

mod bcm2836;
mod gicv2;
mod gicv3;

use super::TrapFrame;
use crate::boot::{BootInfo, InterruptController};
use crate::dev::{Mmio, Windows};
use crate::units::{Cause, CpuId, MAX_CPUS};
use aarch64_cpu::asm::barrier;
use bcm2836::Bcm2836;
use core::ops::Range;
use gicv2::GicV2;
use gicv3::GicV3;
use spin::Once;

/// The software-generated interrupt that the kernel uses as its IPI.
const IPI: u32 = 0;

/// What a GIC says when no line asks any more.
const NOTHING: u32 = 1023;

/// Interrupts that a GIC has at most.
const GIC_LINES: u32 = 1020;

/// What every controller can do.
trait Controller: Send + Sync {
    /// Makes this CPU's part of it ready, with the IPI let through.
    fn init_cpu(&self);
    /// Takes the most urgent interrupt: what the controller wants back when it has been served, and
    /// its line, `IPI`, or `NOTHING`.
    fn acknowledge(&self, timer: u32) -> (u64, u32);
    /// It has been served.
    fn end(&self, token: u64);
    /// Lets a line through, a device's to some CPU, a private one to this CPU; or keeps it out.
    fn switch(&self, line: u32, on: bool);
    /// Interrupts another CPU.
    fn send_ipi(&self, hardware_id: u64);
}

/// The chosen controller and what the interrupts' numbers mean.
struct State {
    controller: &'static dyn Controller,
    devices: Range<u32>,
    timer: u32,
    cpus: [u64; MAX_CPUS],
}

static STATE: Once<State> = Once::new();

/// Chooses and prepares the controller; `map` makes windows to its registers.
pub fn init(info: &BootInfo, map: &mut Windows<'_>) {
    static GIC_V2: Once<GicV2> = Once::new();
    static GIC_V3: Once<GicV3> = Once::new();
    static BCM2836: Once<Bcm2836> = Once::new();
    // With the lines that devices may have.
    let mut choose = || -> Option<(&'static dyn Controller, Range<u32>)> {
        Some(match info.interrupts {
            InterruptController::Gic { version: 2, distributor, own, .. } => {
                let (distributor, cpu) = (map(distributor, 0x1000)?, map(own, 0x2000)?);
                (GIC_V2.call_once(|| GicV2::new(distributor, cpu)), gic_devices(distributor))
            }
            InterruptController::Gic { distributor, own, size, .. } => {
                let (distributor, own) = (map(distributor, 0x10000)?, map(own, size)?);
                let gic = GIC_V3.call_once(|| GicV3::new(distributor, own, size));
                (gic, gic_devices(distributor))
            }
            InterruptController::Bcm2836(at) => {
                let (own, shared) = (map(at, 0x1000)?, map(bcm2836::DEVICES, 0x1000)?);
                (BCM2836.call_once(|| Bcm2836::new(own, shared)), bcm2836::DEVICES_LINES)
            }
            _ => return None,
        })
    };
    let Some((controller, devices)) = choose() else {
        return crate::warn!("no interrupt controller: no ticks, no deadlines, no IPIs");
    };
    let mut cpus = [0; MAX_CPUS];
    cpus.iter_mut().zip(&info.cpus).for_each(|(slot, cpu)| *slot = cpu.hardware_id);
    STATE.call_once(|| State { controller, devices, timer: info.timer_interrupt, cpus });
}

/// Prepares this CPU's part of the controller.
pub fn init_cpu(_id: CpuId) {
    with(|state| state.controller.init_cpu());
}

/// Lets a device's line through.
pub fn unmask(line: u32) {
    if is_free(line) {
        with(|state| state.controller.switch(line, true));
    }
}

/// Keeps a device's line out.
pub fn mask(line: u32) {
    if is_free(line) {
        with(|state| state.controller.switch(line, false));
    }
}

/// Whether a line may be a device's: the kernel's own and private ones may not.
pub fn is_free(line: u32) -> bool {
    STATE.get().is_some_and(|state| line != state.timer && state.devices.contains(&line))
}

/// Lets this CPU's timer through.
pub(super) fn enable_timer() {
    with(|state| state.controller.switch(state.timer, true));
}

/// Takes the interrupt that brought us here, and keeps in the frame what `end` gives back.
pub(super) fn acknowledge(frame: &mut TrapFrame) -> Cause {
    let Some(state) = STATE.get() else { return Cause::Spurious };
    let (token, line) = state.controller.acknowledge(state.timer);
    frame.acknowledged = token;
    match line {
        IPI => Cause::Ipi,
        line if line == state.timer => Cause::Timer,
        line if state.devices.contains(&line) => Cause::Device(line),
        _ => Cause::Spurious,
    }
}

/// The interrupt has been served of which a frame says that it was `acknowledged`.
pub fn end(token: u64) {
    with(|state| state.controller.end(token));
}

/// Interrupts another CPU, which then sees all that was written before.
pub fn send_ipi(id: CpuId) {
    barrier::dsb(barrier::ISHST);
    with(|state| state.controller.send_ipi(state.cpus[id.index()]));
}

/// Interrupts all other CPUs, so that they see that the kernel has panicked. Those that keep
/// interrupts out see it when they next ask for the kernel's lock.
pub fn stop_others() {
    let me = super::cpu::current();
    (0..MAX_CPUS as u8).map(CpuId).filter(|&id| id != me).for_each(send_ipi);
}

fn with(act: impl FnOnce(&State)) {
    if let Some(state) = STATE.get() {
        act(state);
    }
}

/// The lines that are shared by all CPUs, as a GIC's GICD_TYPER says.
fn gic_devices(distributor: Mmio) -> Range<u32> {
    32..(32 * ((distributor.read(GICD_TYPER) & 0x1f) + 1)).min(GIC_LINES)
}

/// The registers of a GIC's lines, which its distributor has, and a redistributor for private ones.
struct Lines(Mmio);

const GICD_TYPER: u64 = 0x004;
const GICD_ISENABLER: u64 = 0x100;
const GICD_ICENABLER: u64 = 0x180;
const GICD_IPRIORITYR: u64 = 0x400;

impl Lines {
    /// Masks 32 lines, and gives all the same priority.
    fn prepare(&self, block: u64, mask: u32) {
        self.0.write(GICD_ICENABLER + 4 * block, mask);
        for word in 8 * block..8 * (block + 1) {
            self.0.write(GICD_IPRIORITYR + 4 * word, 0xa0a0_a0a0);
        }
    }

    fn switch(&self, line: u32, on: bool) {
        let register = if on { GICD_ISENABLER } else { GICD_ICENABLER };
        self.0.write(register + u64::from(line / 32) * 4, 1 << (line % 32));
    }
}
