#!/usr/bin/env python3
"""Runs QEMU on this terminal and returns the guest's exit status.

usage: qemu.py QEMU-COMMAND...

AArch64 guests exit with their status by semihosting. On x86 isa-debug-exit turns a value v into
the status 2v + 1, and the kernel writes 0x10 + status so that QEMU's own failure, 1, stays apart.
"""

import subprocess
import sys


def main(command):
    print("Ochre in QEMU: Ctrl-A X ends it, Ctrl-A C is QEMU's monitor.", flush=True)
    try:
        status = plain_status(subprocess.run(command, check=False).returncode, command[0])
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
