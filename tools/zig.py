"""The C cross-compiler for the few C files in Rust crates: PyPI's ziglang, in target/zig."""

import fcntl
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "target" / "zig"
REQUIREMENT = "ziglang==0.17.0"

# Cargo's targets have a word more than zig's, and zig checks for undefined behaviour by default.
CC = """\
#!/bin/sh
for word; do
    shift
    case $word in
        --target=*) set -- "$@" -target "$(echo "${word#--target=}" | sed s/-unknown//)" ;;
        *) set -- "$@" "$word" ;;
    esac
done
exec "$(dirname "$0")/ziglang/zig" cc -fno-sanitize=undefined -g0 "$@"
"""
AR = """\
#!/bin/sh
exec "$(dirname "$0")/ziglang/zig" ar "$@"
"""


def wrappers():
    """The paths of `cc` and `ar`, after zig is installed if it was not there."""
    install()
    os.environ["ZIG_GLOBAL_CACHE_DIR"] = os.environ["ZIG_LOCAL_CACHE_DIR"] = str(FOLDER / "cache")
    return FOLDER / "cc", FOLDER / "ar"


def install():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_alone()


def install_alone():
    stamp = FOLDER / "installed"
    if stamp.exists() and stamp.read_text() == REQUIREMENT:
        return
    print(f"zig: pip install --target {FOLDER} {REQUIREMENT}", file=sys.stderr, flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--no-deps"]
    if subprocess.run([*pip, "--target", FOLDER, REQUIREMENT], check=False).returncode:
        sys.exit(f"zig: pip cannot get {REQUIREMENT}: is there a network, and python3-pip?")
    for name, text in (("cc", CC), ("ar", AR)):
        (FOLDER / name).write_text(text)
        (FOLDER / name).chmod(0o755)
    stamp.write_text(REQUIREMENT)


if __name__ == "__main__":
    install()
