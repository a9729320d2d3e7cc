//! What concerns user code on the simulated machine.

use super::PhysMem;
use crate::units::Frame;

/// A fresh root of user tables gets what it needs: nothing.
pub fn adopt(_root: Frame, _kernel_root: Frame, _memory: &mut PhysMem) {}
