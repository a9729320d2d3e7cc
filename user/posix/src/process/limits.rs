//! Limits.

/// Those of the first process: soft and hard, in the order of `RLIMIT_*`.
pub const DEFAULT: [[u64; 2]; 16] = {
    let mut limits = [[u64::MAX; 2]; 16];
    limits[3] = [super::memory::STACK, u64::MAX];
    limits[4] = [0, u64::MAX];
    limits[6] = [1024, 1024];
    limits[7] = [1024, 4096];
    limits[8] = [8 << 20, 8 << 20];
    limits[11] = [1024, 1024];
    limits[12] = [819_200, 819_200];
    limits[13] = [0, 0];
    limits[14] = [0, 0];
    limits
};
