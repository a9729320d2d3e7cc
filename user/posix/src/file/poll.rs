//! Waiting for several files.
