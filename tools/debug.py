#!/usr/bin/env python3
"""Boots a kernel in QEMU, stopped, and gives the terminal to gdb, at a breakpoint at its entry.

usage: debug.py ELF [--batch GDB-COMMAND]... QEMU-COMMAND...

With --batch, gdb runs these commands at the entry, and ends; what the guest prints follows after
that. Without it, it appears between gdb's own lines. QEMU has a session of its own, so that Ctrl-C
reaches gdb alone, which then stops the guest.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

COMMANDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gdb.py")


def main(elf, *command):
    """Returns gdb's status."""
    batch = []
    while command[0] == "--batch":
        batch.append(command[1])
        command = command[2:]
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "gdb")
        console = os.path.join(folder, "console")
        qemu = subprocess.Popen(
            [*command, "-serial", f"file:{console}" if batch else "stdio", "-monitor", "none", "-S"]
            + ["-gdb", f"unix:{socket},server=on,wait=off"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        gdb = [shutil.which("gdb-multiarch") or "gdb", "-q", *(["-batch"] if batch else []), "-x", COMMANDS, elf]
        for line in [f"ochre-attach {socket}", *batch]:
            gdb += ["-ex", line]
        ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return subprocess.run(gdb, check=False, preexec_fn=default_interrupt).returncode
        finally:
            signal.signal(signal.SIGINT, ignored)
            qemu.kill()
            qemu.wait()
            if batch:
                with open(console, errors="replace") as guest:
                    print(guest.read().replace("\r", ""), end="")


def default_interrupt():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
