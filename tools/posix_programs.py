#!/usr/bin/env python3
"""Builds the static Linux programs of tests/posix into target/posix/ARCH.

usage: posix_programs.py ARCH...
"""

import os
import pathlib
import shutil
import subprocess
import sys

from userland import ROOT, RUSTFLAGS

PROGRAMS = (
    "abi-bench", "abi-test", "chaos", "linux-init", "run-cases", "run-uutests", "stress", "typist",
)  # fmt: skip


def main(arches):
    for arch in arches:
        target = f"{arch}-unknown-linux-musl"
        env = {
            **os.environ,
            "RUSTUP_TOOLCHAIN": (ROOT / "target" / "toolchain").read_text().strip(),
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(RUSTFLAGS),
        }
        command = ["cargo", "build", "--quiet", "--release", "--locked", "--target", target]
        command += ["--manifest-path", ROOT / "tests/posix/Cargo.toml", "--target-dir", ROOT / "target/posix"]
        if subprocess.run(command, env=env, check=False).returncode:
            return 1
        out = ROOT / "target" / "posix" / arch
        out.mkdir(exist_ok=True)
        for name in PROGRAMS:
            shutil.copy2(pathlib.Path(ROOT, "target/posix", target, "release", name), out / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
