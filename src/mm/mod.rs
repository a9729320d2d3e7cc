//! Memory: who owns which frame, what is mapped where, and the kernel's heap.
