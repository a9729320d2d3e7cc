"""The idle system as a test: how often it wakes while the shell waits for somebody to type."""

import json
import os
import re
import socket
import subprocess
import tempfile
import time

import machine

PLATFORMS = ("virt", "rpi", "x86")
# What the shell prompts with, and seconds until it does, at most.
PROMPT = b"$ "
LIMIT = 120
# Seconds after that until all is still, and seconds that are looked at.
PAUSE = 3
SPAN = 10
# An interrupt that reaches the CPU, as QEMU writes it down: a CPU that sleeps wakes by nothing else.
WAKEUP = re.compile(r"^Taking exception \d+ \[(?:IRQ|FIQ)\]|^Servicing hardware INT", re.M)


def batches():
    for platform in PLATFORMS:
        tests = {f"{platform}/4 idle: nothing wakes it": (platform, "services", "linux")}
        yield tests, lambda names, platform=platform: [(names[0], *watch(platform))]


def watch(platform):
    """What is wrong, or None, and the figure."""
    make = ["make", "-s", "--no-print-directory", f"build-{platform}", f"root-{platform}"]
    subprocess.run(make, cwd=machine.ROOT, env=machine.without_make(), check=True)
    with tempfile.TemporaryDirectory(prefix="ochre-") as folder:
        monitor, log = os.path.join(folder, "monitor"), os.path.join(folder, "log")
        command = machine.qemu_line(platform, SMP=4, INITRD=f"target/{platform}/root.cpio")
        more = ["-serial", "stdio", "-monitor", "none", "-qmp", f"unix:{monitor},server=on,wait=off", "-D", log]
        with subprocess.Popen(
            [*command, *more, "-append", "log=error"], cwd=machine.ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as qemu:  # fmt: skip
            try:
                output = prompted(qemu.stdout)
                time.sleep(PAUSE)
                counts = wakeups(monitor, log, qemu.stdin) if output.endswith(PROMPT) else None
            finally:
                qemu.kill()
    text = output.decode(errors="replace")
    if counts is None:
        return "there is no prompt", text
    still, typing = counts
    said = f"{text}\n{still / SPAN:g} wakeups per second, and {typing} when a key was pressed\n"
    return None if still == 0 and typing > 0 else "it woke, or a key did not wake it", said


def prompted(stream):
    """What the machine says, up to the prompt."""
    output, end = b"", time.monotonic() + LIMIT
    os.set_blocking(stream.fileno(), False)
    while not output.endswith(PROMPT) and time.monotonic() < end:
        output += stream.read() or b""
        time.sleep(0.1)
    return output


def wakeups(monitor, log, typed):
    """How many there are while nothing happens, and when somebody types."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(monitor)
        stream = connection.makefile("rw")
        stream.readline()
        tell(stream, {"execute": "qmp_capabilities"})
        during(stream, lambda: time.sleep(SPAN))
        still = count(log)
        during(stream, lambda: (typed.write(b"\n"), typed.flush(), time.sleep(PAUSE)))
        return still, count(log) - still


def during(stream, act):
    """Has QEMU write interrupts down meanwhile."""
    for command in ("log int", "log none"):
        tell(stream, {"execute": "human-monitor-command", "arguments": {"command-line": command}})
        if command == "log int":
            act()


def count(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        return len(WAKEUP.findall(file.read()))


def tell(stream, request):
    stream.write(json.dumps(request) + "\n")
    stream.flush()
    while "return" not in json.loads(stream.readline()):
        pass
