#!/usr/bin/env python3
"""Prints the help of `make`, from the makefiles' own comments.

usage: help.py MAKEFILE...

`##@ Heading` starts a group; `target: needs ## text` is a target with its line; `#= NAME= text` is
a variable. A rule for all platforms is shown once for each.
"""

import re
import sys

TARGET = re.compile(r"^(?P<names>[^#=:\t]+):(?!=)[^#]*## (?P<text>.*)$")
EACH = re.compile(r"\$\((PLATFORMS|GROUPS|ARCHES):%=([\w-]+-)%\)")


def main(paths):
    variables = []
    print("make TARGET... [VARIABLE=value...]")
    for path in paths:
        lines = open(path, encoding="utf-8").read().replace("\\\n", " ").splitlines()
        lists = dict(re.findall(r"^(PLATFORMS|GROUPS|ARCHES) := (.*)$", "\n".join(lines), re.M))
        for line in lines:
            line = EACH.sub(lambda m: each(m[2], lists[m[1]]), line)
            if line.startswith("##@ "):
                print(f"\n{line[4:]}")
            elif line.startswith("#= "):
                variables.append(line[3:])
            elif match := TARGET.match(line):
                print(f"  {match['names']:<34} {match['text']}")
    print("\nVariables")
    for line in variables:
        name, text = line.split(None, 1)
        print(f"  {name:<34} {text}")


def each(prefix, names):
    """`run-virt run-rpi run-x86`, shortened to `run-virt|rpi|x86`."""
    return prefix + "|".join(names.split())


if __name__ == "__main__":
    main(sys.argv[1:])
