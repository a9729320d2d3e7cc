#!/usr/bin/env python3
"""Prints for how many instructions the lock was held at most.

usage: make run-... KERNEL=(one with `lock-stats`) ICOUNT=1 | lock_hold.py PLATFORM PROGRAM

The kernel says so when it is switched off: ticks, in what (a call's number; 1000 and above are
other traps, see `Kernel::note`), and nanoseconds, of which an instruction takes one.
"""

import re
import sys


def main(platform, program):
    for line in sys.stdin:
        if found := re.search(r"lock-hold \[(\d+), (\d+), (\d+)", line):
            _, doing, instructions = found.groups()
            print(f"bench {platform} lock-hold {instructions} ({program}, in {doing})")
            return 0
    print(f"{platform}: {program} did not end", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
