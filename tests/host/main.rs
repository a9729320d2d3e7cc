//! Tests that run on the developer's machine: the laws of the portable kernel, and the shape of
//! its source.
