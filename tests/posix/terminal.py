#!/usr/bin/env python3
"""Sits at a terminal in front of Ochre: boots it as `make run-PLATFORM` does, types, and looks.

    with Terminal("virt", SMP=1) as terminal:
        terminal.prompt()
        assert terminal.run("echo hi") == "hi"

What is expected is a regular expression, matched against what has come since the last match; a `Silence`
is raised where it does not come, and has all that came.
"""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from qemu import plain_status, qemu_line  # noqa: E402

# Seconds that an answer may take; the machine is emulated, on a host that may be busy.
PATIENCE = 60
# What a shell asks with, at the beginning of a line or behind what clears it.
PROMPT = r"(?:^|[\n\r]|\x1b\[[0-9;?]*[A-Za-z])(?:\x1b\[[0-9;?]*[A-Za-z])*[$#] $"
# What tells a terminal something else than text: sequences that begin with an escape.
SEQUENCES = re.compile(r"\x1b(?:\[[0-9;?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")


class Silence(Exception):
    """What was expected has not come."""


class Terminal:
    """A machine, and the terminal that it runs on."""

    def __init__(self, platform, words="exit=qemu", size=(24, 80), qemu=(), command=None, **variables):
        variables.setdefault("INITRD", f"target/{platform}/root.cpio")
        line = [*qemu_line(platform, **variables), *qemu, "-serial", "mon:stdio", "-append", words]
        self.command = command or line
        self.seen, self.at, self.status = "", 0, None
        self.rows, self.answered = size[0], 0
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # What the machine sends is to arrive as it is.
            settings = termios.tcgetattr(0)
            settings[1] &= ~termios.ONLCR
            termios.tcsetattr(0, termios.TCSANOW, settings)
            os.chdir(ROOT)
            os.execvp(self.command[0], self.command)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", *size, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def type(self, keys):
        """Types keys, as they are: a line ends with a carriage return."""
        data = keys.encode()
        while data:
            data = data[os.write(self.master, data) :]

    def expect(self, pattern, seconds=PATIENCE):
        """Waits for text that matches; the match, and what comes before it is looked at no more."""
        end = time.monotonic() + seconds
        while not (found := re.compile(pattern, re.M).search(self.seen, self.at)):
            left = end - time.monotonic()
            if left < 0 or not self._look(left):
                raise Silence(f"no {pattern!r} but {self.seen[self.at :]!r}\n\n{self.seen}")
        self.at = found.end()
        return found

    def prompt(self, pattern=PROMPT, seconds=PATIENCE):
        """Waits until a shell asks for a command; what came before."""
        begin = self.at
        found = self.expect(pattern.replace("$$", r"\Z"), seconds)
        return self.seen[begin : found.start()]

    def run(self, command, seconds=PATIENCE):
        """Types a command at a prompt, and waits for the next one; what the command wrote."""
        self.type(command + "\r")
        text = plain(self.prompt(seconds=seconds))
        return text.strip("\n").partition("\n")[2].strip("\n")

    def ends(self, seconds=PATIENCE):
        """Waits for the machine to end; its exit status."""
        end = time.monotonic() + seconds
        while self._look(max(0.0, end - time.monotonic())):
            if time.monotonic() > end:
                raise Silence(f"it does not end: {self.seen[self.at :]!r}\n\n{self.seen}")
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return plain_status(self.status, self.command[0])

    def _look(self, seconds):
        """Reads what there is, and waits for it; false if there will be no more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 4096)
        except OSError:
            data = b""
        self.seen += data.decode(errors="replace")
        # Programs ask where the cursor is: a terminal that has scrolled has it in the last line.
        for _ in range(self.answered, asked := self.seen.count("\x1b[6n")):
            self.type(f"\x1b[{self.rows};1R")
        self.answered = asked
        return bool(data)


def plain(text):
    """Text without what moves the cursor or colours."""
    return SEQUENCES.sub("", text).replace("\r", "")
