"""A machine in QEMU for one test: boots, is watched, and never outlives its limit."""

import dataclasses
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))

from elf import Elf, Names  # noqa: E402
from qemu import plain_status, qemu_line, without_make  # noqa: E402, F401

LIMIT = 60.0

# What stands above the registers in a dump.
REGISTERS = "--- registers"


@dataclasses.dataclass
class Outcome:
    """How a run ended. `status` is None if the limit or `until` ended it, and "reset" if the
    machine did, where the guest was to exit with a status."""

    output: str
    status: "int | str | None"
    timed_out: bool


def run(platform, variables, words, extra=(), until=None, limit=LIMIT):
    """Boots `platform` with these make variables and command-line words.

    Ends when the guest exits, when a line matches `until`, or at the limit with a dump of all CPUs.
    """
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        monitor = os.path.join(folder, "monitor")
        command = [*qemu_line(platform, **variables), *extra, "-serial", "stdio", "-monitor", "none"]
        command += ["-qmp", f"unix:{monitor},server=on,wait=off"]
        if words is not None:
            command += ["-append", words]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        dump = []

        def end_of_time():
            dump.append("\n--- the limit is over\n")
            try:
                dump.append(cpus(monitor, names(platform, variables)))
            except (OSError, ValueError) as error:
                dump.append(f"no dump of the CPUs: {error}\n")
            finally:
                process.kill()

        timer = threading.Timer(limit, end_of_time)
        timer.start()
        lines, seen = [], False
        for line in process.stdout:
            lines.append(line.decode(errors="replace").replace("\r", ""))
            if until and re.search(until, lines[-1]):
                seen = True
                process.kill()
        status = process.wait()
        timer.cancel()
        timer.join()
    if dump or seen:
        status = None
    elif platform == "x86" and status == 0 and "exit=qemu" in (words or ""):
        status = "reset"  # a triple fault: the kernel's own 0 reaches us as 0x21
    else:
        status = plain_status(status, command[0])
    return Outcome("".join(lines + dump), status, bool(dump))


def cpus(monitor, functions):
    """What every CPU was doing: its function, then all registers."""
    registers = ask(monitor, "info registers -a")
    found = re.findall(r"\b(?:PC|RIP)=([0-9a-f]{16})", registers)
    lines = [f"cpu {n}  {pc}  {functions.at(int(pc, 16)) or '?'}" for n, pc in enumerate(found)]
    return "\n".join(lines) + f"\n{REGISTERS}\n{registers}"


def names(platform, variables):
    """The functions of the kernel that runs: the tests' or the shipped one, however it is wrapped."""
    tests = "tests." in str(variables.get("KERNEL", ""))
    return Names(Elf(os.path.join(ROOT, f"target/{platform}/{'tests' if tests else 'ochre'}.elf")))


def ask(monitor, command):
    """What QEMU's human monitor answers to `command`."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(monitor)
        stream = connection.makefile("rw")
        stream.readline()
        reply = {}
        for request in (
            {"execute": "qmp_capabilities"},
            {"execute": "stop"},
            {"execute": "human-monitor-command", "arguments": {"command-line": command}},
        ):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            reply = {"event": None}
            while "event" in reply:
                reply = json.loads(stream.readline())
        return reply.get("return", "").replace("\r", "")
