#!/usr/bin/env python3
"""Runs QEMU on this terminal and returns the guest's exit status.

usage: qemu.py [--shell] QEMU-COMMAND...

With --shell the guest is one that somebody works at, who may leave it with any status: the status 1 that
comes of that is no error. AArch64 guests exit with their status by semihosting. On x86 isa-debug-exit turns a value v into
the status 2v + 1, and the kernel writes 0x10 + status so that QEMU's own failure, 1, stays apart.
"""

import functools
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The Makefile's variables that change its QEMU line: who asks for a line sets all of them, so that
# neither the environment nor an outer make does.
VARIABLES = "SMP MEM CPU MACHINE DTB KERNEL INITRD DISK DISK2 RNG ICOUNT EVENTS QEMUFLAGS".split()


# What init makes of a shell's status that is not 0.
LEFT = 1


def main(command):
    shell = command[:1] == ["--shell"]
    command = command[1:] if shell else command
    print("Ochre in QEMU: Ctrl-A X ends it, Ctrl-A C is QEMU's monitor.", flush=True)
    try:
        status = plain_status(subprocess.run(command, check=False).returncode, command[0])
        if shell and status == LEFT:
            return 0
        if status:
            print(f"Ochre in QEMU: exit status {status}")
        return status
    except KeyboardInterrupt:
        return 130
    except FileNotFoundError:
        print(f"{command[0]} is not installed: `make setup`", file=sys.stderr)
        return 127


def plain_status(status, program):
    """The guest's exit status from QEMU's."""
    if program.endswith("x86_64") and status >= 0x21 and status % 2 == 1:
        return (status - 0x21) // 2
    return status


@functools.lru_cache(maxsize=None)
def qemu_line(platform, **variables):
    """The command that runs the platform's machine, as targets/*.mk have it."""
    words = [f"{name}={variables.get(name, '')}" for name in VARIABLES]
    line = subprocess.run(
        ["make", "-s", "--no-print-directory", f"qemu-line-{platform}", *words],
        cwd=ROOT, env=without_make(), capture_output=True, text=True, check=True,
    ).stdout
    return shlex.split(line)


def without_make():
    """The environment without what an outer make has put there, variables included."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
