//! Where every exception and interrupt arrives, and where a panic ends.
