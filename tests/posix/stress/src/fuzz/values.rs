//! Arguments of calls: numbers, addresses and what is there, of which many make sense.

use crate::sys::PAGE;

/// Pages that may be read and written. Behind them is one that may not be touched, then one that can only
/// be read, then nothing.
const PAGES: usize = 16;
/// Where victims map what they map.
const SCRATCH: usize = 0x10_0000_0000;

const PATHS: &[&str] = &[
    "f",
    "f2",
    "d",
    "d/g",
    "d/../f",
    "d/.",
    "link",
    "loop",
    "new",
    "new2",
    "d/new",
    "fifo",
    "sock",
    ".",
    "",
    "missing/x",
    "f/",
    "/proc/self/maps",
    "/proc/self/fd",
    "/proc/self/fd/3",
    "/proc/self/exe",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/thread-self/comm",
    "/proc/self/cwd",
    "/proc/self/task",
    "/proc/self/environ",
    "/proc/self/mountinfo",
    "/proc/self/fdinfo",
    "tmpfs",
    "proc",
];
/// What only those name who may not change it.
const OTHERS: &[&str] = &[
    "..",
    "/",
    "/tmp",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/ptmx",
    "/dev/pts/0",
    "/proc",
    "/proc/1/stat",
    "/proc/1/maps",
    "/proc/1/environ",
    "/proc/1/fd",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/mounts",
    "/proc/ochre/syscalls",
    "/proc/ochre/memory",
    "/etc/passwd",
    "/bin/sh",
    "/bin",
    "/proc/filesystems",
    "/proc/cpuinfo",
    "/proc/sys/kernel/hostname",
];
const STRANGE: &[u64] = &[
    0,
    1,
    2,
    3,
    7,
    8,
    0xff,
    0x100,
    0xfff,
    0x1000,
    0x1001,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 40,
    (1 << 40) - 1,
    (1 << 40) + 1,
    (1 << 47) - 1,
    (1 << 47) - 4096,
    1 << 47,
    1 << 62,
    i64::MAX as u64,
    i64::MAX as u64 - 4095,
    1 << 63,
    u64::MAX - 4096,
    u64::MAX - 4095,
    u64::MAX - 7,
    u64::MAX - 1,
    u64::MAX,
];
/// Addresses that are nobody's, or the kernel's.
const NOWHERE: &[u64] = &[
    0,
    1,
    8,
    4095,
    4096,
    (1 << 47) - 4096,
    (1 << 47) - 1,
    1 << 47,
    0xffff_8000_0000_1000,
    0xffff_ffff_8000_0000,
    u64::MAX - 4095,
    u64::MAX - 7,
    u64::MAX,
];

/// Random values.
pub struct Values {
    state: u64,
    arena: usize,
    /// Whether they are those of the superuser.
    pub root: bool,
    pids: [i32; 2],
}

impl Values {
    pub fn new(seed: u64, root: bool, other: i32) -> Option<Values> {
        let arena = crate::sys::map((PAGES + 3) * PAGE, libc::MAP_PRIVATE).ok()?;
        let behind = arena + PAGES * PAGE;
        // SAFETY: it was mapped just now.
        let me = unsafe {
            libc::mprotect(behind as *mut _, PAGE, libc::PROT_NONE);
            libc::mprotect((behind + PAGE) as *mut _, PAGE, libc::PROT_READ);
            libc::munmap((behind + 2 * PAGE) as *mut _, PAGE);
            libc::getpid()
        };
        Some(Values {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            arena,
            root,
            pids: [me, other],
        })
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below another.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of several.
    pub fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// An argument of a kind: see [`super::calls`].
    pub fn argument(&mut self, kind: u8) -> u64 {
        if self.below(40) == 0 && !matches!(kind, b'k' | b'p' | b'm') {
            return self.any();
        }
        match kind {
            b'f' => self.descriptor(),
            b'd' if self.below(2) == 0 => libc::AT_FDCWD as u64,
            b'd' => self.descriptor(),
            b'p' => self.path(),
            b'b' => self.address(),
            b's' => self.structure(false),
            b't' => self.structure(true),
            b'v' => self.vector(),
            b'n' => self.length(),
            b'c' => self.below(9),
            b'o' => self.bits(24),
            b'w' => self.bits(12),
            b'g' => self.signal(),
            b'k' => self.process(),
            b'm' => self.place(),
            b'l' => (self.below(8) + 1) * PAGE as u64,
            b'x' => self.below(64),
            b'0' => 0,
            _ => self.any(),
        }
    }

    fn any(&mut self) -> u64 {
        match self.below(4) {
            0 => self.next(),
            1 => self.below(100),
            2 => self.next() as u32 as i32 as u64,
            _ => self.one(STRANGE),
        }
    }

    fn descriptor(&mut self) -> u64 {
        match self.below(20) {
            0 => self.any(),
            1 => u64::MAX,
            2 => self.below(100),
            _ => self.below(30),
        }
    }

    fn length(&mut self) -> u64 {
        match self.below(8) {
            0 => self.one(STRANGE),
            1 => self.below(0x2_0000),
            2 => self.one(&[1, 4, 8, 12, 16, 24, 32, 64, 88, 128, 144, 256]),
            3 => self.one(&[4095, 4096, 4097, 65535, 65536, 65537]),
            _ => self.below(200),
        }
    }

    /// A few bits of the lowest.
    fn bits(&mut self, count: u64) -> u64 {
        (0..self.below(4)).fold(0, |bits, _| bits | 1 << self.below(count))
    }

    /// A signal that most often does not end whoever gets it.
    fn signal(&mut self) -> u64 {
        match self.below(12) {
            0 => self.below(70),
            1 => self.one(&[libc::SIGSTOP, libc::SIGTSTP, libc::SIGCONT, libc::SIGKILL]) as u64,
            _ => self.one(&[0, 17, 23, 28, 14, 18, 13, 10]),
        }
    }

    /// A process: those who may not harm others name any.
    fn process(&mut self) -> u64 {
        let pids = self.pids;
        match self.below(8) {
            0 if !self.root => self.any(),
            1 if !self.root => self.one(&[1, 2, 3, u64::MAX, 0x8000_0000]),
            2 => 0,
            3 => 1_000_000 + self.below(100),
            4 => u64::from(pids[0].unsigned_abs()).wrapping_neg(),
            5 | 6 => pids[0] as u64,
            _ if pids[1] > 0 => pids[1] as u64,
            _ => pids[0] as u64,
        }
    }

    /// An address for mapping.
    fn place(&mut self) -> u64 {
        match self.below(12) {
            0 => self.address(),
            1 => SCRATCH as u64 + self.below(1 << 20),
            2 => 0,
            3 => self.one(NOWHERE),
            _ => SCRATCH as u64 + self.below(64) * PAGE as u64,
        }
    }

    /// An address, which may be of use.
    pub fn address(&mut self) -> u64 {
        let (arena, length) = (self.arena as u64, (PAGES * PAGE) as u64);
        match self.below(16) {
            0 => 0,
            1 => self.one(NOWHERE),
            // Right before what may not be touched.
            2 => arena + length - self.below(64),
            3 => arena + length + self.below(8192),
            4 => arena + self.below(length),
            5 => SCRATCH as u64 + self.below(64 * PAGE as u64),
            _ => arena + self.below(length / 16) * 16,
        }
    }

    /// Whether bytes are this victim's to write.
    fn is_own(&self, at: u64, length: u64) -> bool {
        at >= self.arena as u64 && at + length <= (self.arena + PAGES * PAGE) as u64
    }

    /// Writes words where they can be.
    fn put(&mut self, at: u64, words: &[u64]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put_bytes(at, &bytes);
    }

    fn put_bytes(&mut self, at: u64, bytes: &[u8]) {
        let own = (self.arena as u64 + (PAGES * PAGE) as u64).saturating_sub(at);
        let bytes = &bytes[..bytes.len().min(own as usize)];
        if self.is_own(at, bytes.len() as u64) {
            // SAFETY: it is the arena's; should the victim have unmapped it, the victim ends.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        }
    }

    /// A structure of words that make some sense; perhaps times.
    fn structure(&mut self, times: bool) -> u64 {
        let at = self.address();
        let mut words = [0; 16];
        for word in &mut words {
            *word = match (times, self.below(8)) {
                (true, 0) => self.any(),
                (true, 1) => 2_000_000,
                (true, _) => 0,
                (false, 0 | 1) => self.any(),
                (false, 2) => self.address(),
                (false, 3) => self.below(30) | self.below(8) << 32,
                (false, 4) => self.bits(32),
                (false, 5) => self.length(),
                _ => 0,
            };
        }
        self.put(at, &words);
        at
    }

    /// A vector of addresses and lengths.
    fn vector(&mut self) -> u64 {
        let at = self.address();
        let mut words = [0; 16];
        for pair in words.chunks_mut(2) {
            pair[0] = self.address();
            pair[1] = self.length();
        }
        self.put(at, &words);
        at
    }

    /// A path, which may end where memory does, or not at all.
    fn path(&mut self) -> u64 {
        let text = match self.below(30) {
            0 => return if self.root { 0 } else { self.address() },
            1 => "x".repeat(300),
            2 => "d/".repeat(2000) + "g",
            3 => "./".repeat(2048),
            _ if self.root || self.below(2) == 0 => self.one(PATHS).to_owned(),
            _ => self.one(OTHERS).to_owned(),
        };
        let mut bytes = text.into_bytes();
        bytes.push(0);
        let end = (self.arena + PAGES * PAGE) as u64;
        let at = match self.below(8) {
            0 => end - bytes.len() as u64,
            1 => end - bytes.len() as u64 + 1,
            _ => self.arena as u64 + self.below(8) * 0x1000,
        };
        self.put_bytes(at, &bytes);
        at
    }
}
