//! Calls that change names.
