//! Who a process is: users, groups, sessions, names, limits, what the system says of itself.

use crate::sys::{BAD, in_child, value};
use crate::{check, sys};
use libc::*;

pub fn run() {
    users();
    sessions();
    system();
    priorities();
}

fn users() {
    for (name, number) in [
        ("getuid", SYS_getuid),
        ("geteuid", SYS_geteuid),
        ("getgid", SYS_getgid),
        ("getegid", SYS_getegid),
    ] {
        check!(name, number);
    }
    let mut groups = [0u32; 8];
    check!("getgroups without room", SYS_getgroups, 0, 0);
    check!("setgroups", SYS_setgroups, 2, [5u32, 6].as_slice());
    check!("getgroups", SYS_getgroups, 8, &mut groups);
    value("the groups", &groups[..2]);
    check!("getgroups with too little room", SYS_getgroups, 1, &mut groups);
    check!("getgroups with room for -1", SYS_getgroups, -1, &mut groups);
    check!("setgroups of too many", SYS_setgroups, 65_537, &mut groups);
    let status = in_child(|| {
        let mut ids = [0u32; 3];
        let [a, b, c] = ids.each_mut();
        check!("setresuid", SYS_setresuid, -1, 1000, 0);
        check!("getresuid", SYS_getresuid, &mut *a, &mut *b, &mut *c);
        value("the ids", ids);
        check!("setuid back", SYS_setuid, 0);
        check!("setresuid of all", SYS_setresuid, 1000, 1000, 1000);
        check!("setuid of a plain user", SYS_setuid, 0);
        check!("setuid to oneself", SYS_setuid, 1000);
        check!("setgid of a plain user", SYS_setgid, 1000);
        check!("setgroups of a plain user", SYS_setgroups, 0, 0);
        check!("sethostname of a plain user", SYS_sethostname, c"x", 1);
        check!("kill of another's", SYS_kill, 1, 0);
        check!("setpriority of a plain user", SYS_setpriority, PRIO_PROCESS, 0, -5);
        let more = rlimit { rlim_cur: 1 << 40, rlim_max: 1 << 40 };
        check!("prlimit64 of a plain user", SYS_prlimit64, 0, RLIMIT_NOFILE, &more, 0);
        check!("mount of a plain user", SYS_mount, c"none", c"/tmp", c"tmpfs", 0, 0);
        check!("reboot of a plain user", SYS_reboot, 0xfee1_deadu32, 672_274_793, 0, 0);
        0
    });
    value("the child", status);
    check!("setuid of -1", SYS_setuid, -1);
}

fn sessions() {
    let status = in_child(|| {
        let me = sys!(SYS_getpid);
        value("setsid gives one's own id", sys!(SYS_setsid) == me);
        check!("setsid again", SYS_setsid);
        value("getsid", sys!(SYS_getsid, 0) == me);
        value("getpgid", sys!(SYS_getpgid, 0) == me);
        check!("setpgid of a leader", SYS_setpgid, 0, 0);
        check!("setpgid to a group that is not there", SYS_setpgid, 0, 999_999);
        0
    });
    value("the child", status);
    check!("getpgid of nobody", SYS_getpgid, 999_999);
    check!("getsid of nobody", SYS_getsid, 999_999);
    check!("setpgid of nobody", SYS_setpgid, 999_999, 0);
    check!("setpgid to -1", SYS_setpgid, 0, -1);
    let status = in_child(|| {
        value(
            "setpgid of oneself",
            (sys!(SYS_setpgid, 0, 0), sys!(SYS_getpgid, 0) == sys!(SYS_getpid)),
        );
        check!("setsid of a leader of a group", SYS_setsid);
        0
    });
    value("the child", status);
}

fn system() {
    // SAFETY: plain bytes.
    let mut names: utsname = unsafe { std::mem::zeroed() };
    check!("uname", SYS_uname, &mut names);
    check!("uname bad address", SYS_uname, BAD);
    // SAFETY: plain integers.
    let mut info: sysinfo = unsafe { std::mem::zeroed() };
    check!("sysinfo", SYS_sysinfo, &mut info);
    value("it has memory and processes", (info.totalram > 0, info.procs > 0));
    check!("sysinfo bad address", SYS_sysinfo, BAD);
    let mut bytes = [0u8; 64];
    check!("getrandom", SYS_getrandom, &mut bytes, 64, 0);
    value("it is not all zero", bytes.iter().any(|&byte| byte != 0));
    check!("getrandom unknown flags", SYS_getrandom, &mut bytes, 64, 64);
    check!("getrandom bad address", SYS_getrandom, BAD, 64, 0);
    check!("getrandom GRND_NONBLOCK", SYS_getrandom, &mut bytes, 16, GRND_NONBLOCK);
    let mut name = [0u8; 16];
    check!("prctl PR_SET_NAME", SYS_prctl, PR_SET_NAME, c"a name of twenty");
    check!("prctl PR_GET_NAME", SYS_prctl, PR_GET_NAME, &mut name);
    value("the name", String::from_utf8_lossy(&name));
    check!("prctl unknown", SYS_prctl, 9999, 0, 0, 0, 0);
    check!("prctl PR_GET_DUMPABLE", SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
    check!("prctl PR_SET_PDEATHSIG wrong", SYS_prctl, PR_SET_PDEATHSIG, 99, 0, 0, 0);
    check!("prctl PR_SET_NO_NEW_PRIVS", SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    check!("prctl PR_GET_NO_NEW_PRIVS", SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    check!("a call that there is not", 5000);
    check!("a call of a negative number", -1);
}

fn priorities() {
    check!("getpriority", SYS_getpriority, PRIO_PROCESS, 0);
    check!("getpriority unknown", SYS_getpriority, 9, 0);
    check!("getpriority of nobody", SYS_getpriority, PRIO_PROCESS, 999_999);
    check!("setpriority", SYS_setpriority, PRIO_PROCESS, 0, 5);
    check!("getpriority", SYS_getpriority, PRIO_PROCESS, 0);
    let mut mask = [0u64; 16];
    let length = sys!(SYS_sched_getaffinity, 0, 128, &mut mask);
    value("sched_getaffinity", (length > 0 && length % 8 == 0, mask[0] & 1));
    check!("sched_getaffinity of too little", SYS_sched_getaffinity, 0, 1, &mut mask);
    check!("sched_getaffinity of nobody", SYS_sched_getaffinity, 999_999, 128, &mut mask);
    check!("sched_setaffinity of no CPU", SYS_sched_setaffinity, 0, 8, &0u64);
    check!("sched_setaffinity", SYS_sched_setaffinity, 0, 8, &1u64);
    check!("sched_getscheduler", SYS_sched_getscheduler, 0);
    // SAFETY: plain integers.
    let mut usage: rusage = unsafe { std::mem::zeroed() };
    check!("getrusage", SYS_getrusage, RUSAGE_SELF, &mut usage);
    check!("getrusage unknown", SYS_getrusage, 9, &mut usage);
    check!("getrusage bad address", SYS_getrusage, RUSAGE_SELF, BAD);
}
