#!/usr/bin/env python3
"""Runs a command in Ochre and is that command: its output, its input, its exit status.

usage: exec.py [--log FILE] COMMAND QEMU-COMMAND...

Guest and host talk over the serial port in frames: the byte 0x10, a kind, the length in two bytes (the
lower first), and so many bytes. To the guest go `c`, the command for `sh -c`, and `i`, standard input,
whose end is an empty one. From it come `r`, when it is ready for them, `o` and `e`, standard output and
error, and `s`, the exit status, one byte. What is between frames is the kernel's log. docs/posix.md has the guest's side.
"""

import argparse
import os
import subprocess
import sys
import threading

FRAME = 0x10
# Bytes of a frame that goes to the guest.
PIECE = 512
# Seconds that the machine may take to end when the command has.
FAREWELL = 20
# The exit status where there is none of the command: the machine has died, or never began.
NO_STATUS = 125


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--log", type=argparse.FileType("wb"), help="where the kernel's log goes")
    parser.add_argument("command")
    parser.add_argument("qemu", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    line = [*options.qemu, "-serial", "stdio", "-monitor", "none"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        ready = threading.Event()
        threading.Thread(target=feed, args=(qemu.stdin, options.command, ready), daemon=True).start()
        status, log = demultiplex(qemu.stdout, ready)
        # What is on disks is saved before the machine ends.
        late = threading.Timer(FAREWELL, qemu.kill)
        late.start()
        log += qemu.stdout.read()
        qemu.wait()
        late.cancel()
    if options.log:
        options.log.write(log)
    if status is None:
        sys.stderr.buffer.write(log)
        print("exec: the machine ended before the command did", file=sys.stderr)
        return NO_STATUS
    return status


def feed(guest, command, ready):
    """Sends the command, then standard input until its end. What arrives before there is a driver is lost."""
    ready.wait()
    try:
        send(guest, b"c", command.encode("utf-8", "surrogateescape"))
        send(guest, b"c", b"")
        while data := os.read(0, PIECE):
            send(guest, b"i", data)
        guest.write(frame(b"i", b""))
        guest.flush()
    except OSError:
        pass  # The guest has ended, or nobody gave an input.


def send(guest, kind, data):
    for at in range(0, len(data) or 1, PIECE):
        guest.write(frame(kind, data[at : at + PIECE]))
    guest.flush()


def frame(kind, data):
    return bytes([FRAME]) + kind + len(data).to_bytes(2, "little") + data


def demultiplex(guest, ready):
    """Writes what the command says; its exit status, and the log."""
    log = bytearray()
    while byte := guest.read(1):
        if byte[0] != FRAME:
            log += byte
            continue
        head = guest.read(3)
        data = guest.read(int.from_bytes(head[1:], "little"))
        if head[:1] == b"s":
            return data[0], bytes(log)
        if head[:1] == b"r":
            ready.set()
            continue
        out = sys.stdout.buffer if head[:1] == b"o" else sys.stderr.buffer
        out.write(data)
        out.flush()
    return None, bytes(log)


if __name__ == "__main__":
    sys.exit(main())
