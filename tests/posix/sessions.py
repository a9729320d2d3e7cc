#!/usr/bin/env python3
"""What a person meets who types `make run-virt`: sessions at a terminal, and what must be seen in them.

usage: sessions.py [--on PLATFORM] [--smp N] [NAME...]

Each session is a boot. The kernel, the user programs and target/PLATFORM/root.cpio must have been built: `make root-virt`.
"""

import argparse
import datetime
import re
import shutil
import subprocess
import sys
import tempfile

from terminal import ROOT, Silence, Terminal, plain

ESCAPE, INTERRUPT, STOP, END, ERASE, KILL = "\x1b", "\x03", "\x1a", "\x04", "\x7f", "\x15"
UP, LEFT = ESCAPE + "[A", ESCAPE + "[D"
# Platforms with a clock that goes on while they are off.
CLOCKS = ("virt", "x86")


class Wrong(Exception):
    """Something else was seen."""


def same(what, seen, wanted):
    if seen != wanted:
        raise Wrong(f"{what}: {seen!r} instead of {wanted!r}")


def holds(what, condition):
    if not condition:
        raise Wrong(what)


# A job that says when it is in the foreground: before that keys would go to the shell.
JOB = "sh -c 'echo here; exec sleep 1000'"


def begin(terminal):
    terminal.type(JOB + "\r")
    terminal.expect(r"here\r\n")


def greeting(terminal, platform):
    """Who sits down is told where, and what to do next; the shell's status is the machine's."""
    text = terminal.prompt()
    cpus = re.search(r"^Ochre \S+ on \S+: .+, (\d+) CPUs?, \d+ MiB of memory\. Booted in \d+ ms, .+ \d+ ms\.\r$", text, re.M)
    holds(f"no greeting in {text!r}", cpus)
    holds("no way out in the greeting", "Ctrl-A X" in text and "`help`" in text)
    same("nproc", terminal.run("nproc"), cpus[1])
    holds("no help", "Ctrl-Z stops what runs" in terminal.run("help"))
    same("the terminal's size", terminal.run("stty size"), "30 100")
    same("the shell and its parent", terminal.run("echo $$ $PPID"), "2 1")
    same("the shell's variables", terminal.run("env | grep ^ENV; echo $HOME $PATH"), "ENV=/etc/profile\n/root /bin")
    same("a second shell's greeting", terminal.run("echo 'echo $PPID' | sh -i 2>&1 | grep -c Ochre"), "0")
    terminal.type("exit 7\r")
    same("the exit status", terminal.ends(), 1)
    holds("init says nothing", "ended with code 7" in terminal.seen)


def log(terminal, platform):
    """The kernel's log is a file."""
    terminal.prompt()
    lines = int(terminal.run("wc -l < /var/log/messages"))
    holds(f"only {lines} lines", lines > 8)
    same("first lines", terminal.run("grep -c '^Ochre ' /var/log/messages"), "1")
    holds("no last line", "boot: done" in terminal.run("tail -n 5 /var/log/messages"))
    shown = terminal.run("cat /proc/ochre/log").splitlines()
    same("lines of the log", len(shown), lines)
    holds("not what was shown", all(line in terminal.seen.replace("\r", "") for line in shown))


def clock(terminal, platform):
    """It is now."""
    terminal.prompt()
    before = datetime.datetime.now(datetime.timezone.utc)
    seconds = int(terminal.run("date +%s"))
    if platform not in CLOCKS:
        same("the year", terminal.run("date +%Y"), "1970")
        return
    holds(f"{seconds} is not {before.timestamp()}", abs(seconds - before.timestamp()) < 120)
    same("the date", terminal.run(f"date -d @{int(before.timestamp())} +%F"), before.strftime("%F"))
    holds("a new file is old", abs(int(terminal.run("touch /tmp/x; stat -c %Y /tmp/x")) - seconds) < 120)


def jobs(terminal, platform):
    """Job control of sh, and the keys that have a meaning."""
    terminal.prompt()
    begin(terminal)
    terminal.type(STOP)
    terminal.prompt()
    holds("it is not stopped", "Stopped" in terminal.run("jobs"))
    terminal.run("bg")
    holds("it does not run", "Running" in terminal.run("jobs"))
    terminal.type("fg\r")
    terminal.expect(r"\nsh -c .*\r\n")
    terminal.type(INTERRUPT)
    terminal.expect(r"\^C")
    terminal.prompt("[$] $")
    same("the status of what was interrupted", terminal.run("echo $?"), str(256 + 128 + 2))
    same("jobs", terminal.run("jobs"), "")
    # A pipe is a job too, and who reads from the terminal in the background is stopped.
    terminal.type(JOB + " | cat\r")
    terminal.expect(r"here\r\n")
    terminal.type(INTERRUPT)
    terminal.prompt("[$] $")
    terminal.run("cat &")
    holds("cat reads", "Stopped" in terminal.run("sleep 1; jobs"))
    terminal.run("kill %1; fg")
    # Orphans go to process 1, which nobody can harm, and are gone when they end.
    terminal.run("(sleep 2 & echo $! > /tmp/orphan); kill -9 1")
    same("the parent of an orphan", terminal.run("cut -d ' ' -f 4 /proc/$(cat /tmp/orphan)/stat"), "1")
    same("orphans", terminal.run("sleep 3; ls -d /proc/$(cat /tmp/orphan) 2>/dev/null"), "")
    same("a signal that shells ignore", terminal.run("kill $$; echo still here"), "still here")
    # Editing without a shell's help.
    same("an erased byte", terminal.run(f"echo onx{ERASE}e"), "one")
    same("an erased line", terminal.run(f"nonsense{KILL}echo two"), "two")
    terminal.type("cat\r")
    terminal.type("a line\r" + END)
    same("what cat makes of it", terminal.prompt().replace("\r", ""), "cat\na line\na line")
    terminal.type(END)
    same("the exit status", terminal.ends(), 0)


def brush(terminal, platform):
    """The shell that edits lines itself."""
    prompt = r"brush-[\d.]+# (?:\x1b[\[\d;?]*[A-Za-z78]?|\x1b[78])*$"
    terminal.prompt()

    def run(keys):
        terminal.type(keys + "\r")
        terminal.expect(r"\x1b\[\?2004l")
        return terminal.prompt(r"\x1b\[\?2004h").replace("\r", "").strip("\n")

    terminal.type("brush\r")
    terminal.expect(prompt)
    same("a command", run("echo one"), "one")
    same("the one before", run(UP), "one")
    same("an edited line", run("echo ac" + LEFT + "b"), "abc")
    same("a completed name", run("cat /etc/hostn\t"), "ochre")
    begin(terminal)
    terminal.type(STOP)
    terminal.expect("Stopped")
    holds("it is not stopped", "Stopped" in run("jobs"))
    terminal.type("fg\r")
    terminal.expect(r"2004lsh -c .*\r\n")
    terminal.type(INTERRUPT)
    terminal.expect(r"\x1b\[\?2004h")
    terminal.type(END)
    terminal.prompt()


def pager(terminal, platform):
    """A pager has the whole screen, one page after the other."""
    terminal.prompt()
    terminal.run("seq 200 > /tmp/numbers")
    terminal.type("more /tmp/numbers\r")
    terminal.expect(r"\r29\n(?:.|\r|\n)*%")
    holds("more than a page", "\r30\n" not in terminal.seen)
    terminal.type(" ")
    terminal.expect(r"\r58\n")
    terminal.type("q")
    terminal.prompt()


def ahead(terminal, platform):
    """What is typed before anybody listens is not lost."""
    terminal.type("echo early\r")
    terminal.expect(r"^Ochre (?:.|\r|\n)*echo early\r\n(?:.|\r|\n)*[$] early\r\n")
    terminal.prompt()


def figures(terminal, platform):
    """Figures that one looks at: not all the same, and not more than there is."""
    terminal.prompt()
    status = dict(line.split(":\t") for line in terminal.run("cat /proc/$$/status").splitlines())
    size, resident = (int(status[name].split()[0]) for name in ("VmSize", "VmRSS"))
    holds(f"{resident} of {size} kB are there", 400 < resident < size)
    same("averages", terminal.run("cut -d ' ' -f 1-3 /proc/loadavg").count("."), 3)
    terminal.run("timeout 12 yes > /dev/null")
    first = float(terminal.run("cut -d ' ' -f 1 /proc/loadavg"))
    holds(f"a load of {first} after 12 s of work", 0.08 < first < 0.5)
    up, idle = map(float, terminal.run("cat /proc/uptime").split())
    cpus = int(terminal.run("nproc"))
    holds(f"up {up}, idle {idle}", 12 < up and cpus * up - 40 < idle < cpus * up - 8)
    holds("uptime", "load average: 0." in terminal.run("uptime"))
    memory = dict(re.findall(r"(\w+): +(\d+) kB", terminal.run("cat /proc/meminfo")))
    holds("memory", 0 < int(memory["MemFree"]) < int(memory["MemTotal"]))


def leaving(terminal, platform):
    """Whatever status the shell is left with, make has nothing to say of it."""
    terminal.prompt()
    terminal.type("exit 3\r")
    same("the status of make", terminal.ends(), 0)
    holds("make complains", "Error" not in terminal.seen)


SESSIONS = (greeting, log, clock, jobs, brush, pager, ahead, figures, leaving)


def run(session, platform, smp, mini_uart=False):
    """What went wrong, or None, and all that was seen."""
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        variables, more = {"SMP": smp}, ()
        if mini_uart:
            variables["DTB"], more = with_mini_uart(f"{ROOT}/target/rpi/rpi3b-{smp}.dtb", folder), ("-serial", "null")
        command = ["make", "--no-print-directory", f"run-{platform}"] if session is leaving else None
        terminal = Terminal(platform, "exit=qemu window=30x100", (30, 100), more, command, **variables)
        return run_on(terminal, session, platform)


def with_mini_uart(tree, folder):
    """The tree of a Raspberry Pi whose console is its other UART, which is QEMU's second serial port."""
    copy = shutil.copy(tree, folder)
    subprocess.run(["fdtput", "-t", "s", copy, "/chosen", "stdout-path", "serial1:115200n8"], check=True)
    return copy


def run_on(terminal, session, platform):
    with terminal:
        try:
            session(terminal, platform)
            return None, terminal.seen
        except (Wrong, Silence, ValueError, KeyError) as wrong:
            return f"{type(wrong).__name__}: {wrong}", terminal.seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--on", default="virt")
    parser.add_argument("--smp", default="4")
    parser.add_argument("--mini-uart", action="store_true", help="that of rpi in place of the PL011")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    failed = 0
    chosen = [session for session in SESSIONS if not options.names or session.__name__ in options.names]
    for session in chosen:
        problem, seen = run(session, options.on, options.smp, options.mini_uart)
        failed += bool(problem)
        print(f"{'FAIL' if problem else 'ok  '} {options.on}/{options.smp} {session.__name__}", flush=True)
        if problem:
            lines = plain(seen).splitlines()[-40:]
            print("\n".join(["     | " + line for line in (*lines, *problem.splitlines()[:1])]))
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
