//! What threads and processes are like, one by one: `prctl`, and on x86-64 `arch_prctl`.

#[cfg(target_arch = "x86_64")]
pub use x86_64::arch_prctl;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use crate::errno::{Errno, Result};
    use crate::server::Call;
    use rt::abi::USER_END;
    use rt::arch::TLS;

    const GS: usize = TLS + 1;
    const SET_GS: u32 = 0x1001;
    const SET_FS: u32 = 0x1002;
    const GET_FS: u32 = 0x1003;
    const GET_GS: u32 = 0x1004;

    pub fn arch_prctl(call: &Call) -> Result {
        let [what, value, ..] = call.args;
        let mut registers = call.task.registers()?;
        match what as u32 {
            SET_FS | SET_GS if value >= USER_END => return Err(Errno::EPERM),
            SET_FS => registers[TLS] = value,
            SET_GS => registers[GS] = value,
            GET_FS => return call.process().put(value, &registers[TLS]).map(|()| 0),
            GET_GS => return call.process().put(value, &registers[GS]).map(|()| 0),
            _ => return Err(Errno::EINVAL),
        }
        call.task.set_registers(&registers).map(|()| 0)
    }
}
