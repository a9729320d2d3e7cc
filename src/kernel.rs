//! The kernel as a value, the one lock around it, its clock and its CPUs.
