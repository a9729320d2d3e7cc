//! What a signal handler finds on its stack.

use crate::errno::Result;
use crate::process::Process;
use crate::process::memory::Space;

/// Maps what a handler returns to where the program names nothing.
pub fn map_trampoline(_process: &Process, _space: &mut Space) -> Result<()> {
    Ok(())
}
