#!/usr/bin/env python3
"""Debian's Linux in the QEMU that Ochre runs in, with the same programs: what Ochre is compared with.

usage: linux.py setup ARCH...
       linux.py run [--arch ARCH] [--mem 512M] [--smp 1] [--icount] [--limit SECONDS]
                    [--disk IMAGE] [--root DIR] [--app PROGRAM] [--file NAME=PATH]... -- COMMAND

`run` gives COMMAND to `sh -c`, passes standard input in, and has its output and exit status.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import cpio
from qemu import qemu_line

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "target" / "linux"
POSIX = ROOT / "target" / "posix"
DEBIAN = {"aarch64": "arm64", "x86_64": "amd64"}
PLATFORM = {"aarch64": "virt", "x86_64": "x86"}
CONSOLE = {"aarch64": "ttyAMA0", "x86_64": "ttyS0"}
RELEASE = "bookworm"
# What the kernel needs for a disk and is not in it, each after what it needs.
MODULES = (
    "virtio", "virtio_ring", "virtio_mmio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk",
    "nls_cp437", "nls_ascii", "fat", "vfat",
)  # fmt: skip
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")


class Failed(Exception):
    """The guest did not come to its end."""


def main(words):
    if words[:1] == ["setup"]:
        for arch in words[1:] or DEBIAN:
            setup(arch)
        return 0
    if words[:1] != ["run"] or "--" not in words:
        sys.exit(__doc__)
    split = words.index("--")
    options = arguments(words[1:split])
    stdin = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    try:
        out, err, status = run(" ".join(words[split + 1 :]), stdin=stdin, **vars(options))
    except Failed as failed:
        sys.exit(f"linux: {failed}")
    sys.stdout.buffer.write(out)
    sys.stderr.buffer.write(err)
    return status


def arguments(words):
    parser = argparse.ArgumentParser(prog="linux.py run")
    parser.add_argument("--arch", choices=DEBIAN, default="aarch64")
    parser.add_argument("--mem", default="512M")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--disk")
    parser.add_argument("--root")
    parser.add_argument("--app")
    parser.add_argument("--file", action="append", default=[])
    return parser.parse_args(words)


# The kernel -------------------------------------------------------------------------------------


def setup(arch):
    """Fetches the kernel that the release's package of kernels means now, with apt's own means but
    without a change to the apt of this machine."""
    if (FOLDER / arch / "version").exists() and modules(arch).exists():
        return
    apt = FOLDER / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(
        f"deb [arch={','.join(DEBIAN.values())} signed-by={KEYS}] {MIRROR} {RELEASE} main\n"
    )
    (apt / "conf").write_text(
        f'Dir::State "{apt}"; Dir::State::status "{apt}/status"; Dir::Cache "{apt}";\n'
        f'Dir::Etc::sourcelist "{apt}/sources.list"; Dir::Etc::sourceparts "-";\n'
        'APT::Architectures { "amd64"; "arm64"; }; Acquire::Languages "none"; APT::Sandbox::User "root";\n'
    )
    if not list((apt / "lists").glob("*_Packages*")):
        tell("fetching the lists of packages")
        command(["apt-get", "update", "-q"], apt)
    package = f"linux-image-cloud-{DEBIAN[arch]}:{DEBIAN[arch]}"
    depends = command(["apt-cache", "depends", package], apt)
    package = re.search(r"Depends: (linux-image-\S+)", depends)[1].partition(":")[0]
    tell(f"fetching {package}")
    for old in FOLDER.glob(f"{package}_*.deb"):
        old.unlink()
    command(["apt-get", "download", "-q", f"{package}:{DEBIAN[arch]}"], apt)
    (deb,) = FOLDER.glob(f"{package}_*.deb")
    with tempfile.TemporaryDirectory(dir=FOLDER) as unpacked:
        command(["dpkg", "-x", deb, unpacked], apt)
        (found,) = pathlib.Path(unpacked, "boot").glob("vmlinuz-*")
        kernel(arch).parent.mkdir(exist_ok=True)
        found.rename(kernel(arch))
        modules(arch).mkdir(exist_ok=True)
        for number, name in enumerate(MODULES):
            for module in pathlib.Path(unpacked, "lib/modules").rglob(f"{name}.ko"):
                module.rename(modules(arch) / f"{number:02}-{module.name}")
    (FOLDER / arch / "version").write_text(deb.name.removesuffix(".deb") + "\n")
    deb.unlink()


def kernel(arch):
    return FOLDER / arch / "vmlinuz"


def modules(arch):
    return FOLDER / arch / "modules"


def command(words, apt):
    done = subprocess.run(
        words, cwd=FOLDER, env={**os.environ, "APT_CONFIG": str(apt / "conf")}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{done.stdout}linux: {' '.join(map(str, words))} failed: is {MIRROR} in reach?")
    return done.stdout


# A run ------------------------------------------------------------------------------------------


def run(script, arch="aarch64", stdin=b"", mem="512M", smp="1", icount=False, limit=600, disk=None, flags="", **image):
    """Boots, runs a command, and returns (out, err, status)."""
    with tempfile.TemporaryDirectory(prefix="linux-") as folder:
        initrd = pathlib.Path(folder, "initrd.cpio")
        initrd.write_bytes(root(arch, folder, **image) + overlay(arch, script, stdin, disk))
        variables = {"KERNEL": kernel(arch), "INITRD": initrd, "MEM": mem, "SMP": smp, "ICOUNT": "1" if icount else ""}
        variables |= {"DISK": disk or "", "QEMUFLAGS": flags}
        line = [*qemu_line(PLATFORM[arch], **variables), "-serial", "stdio", "-monitor", "none"]
        line += ["-append", f"console={CONSOLE[arch]} quiet loglevel=0 panic=-1"]
        try:
            done = subprocess.run(
                line, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise Failed(f"no end after {limit:.0f} s; the last it said: {(late.stdout or b'')[-500:]}") from None
    return frames(done.stdout)


def root(arch, folder, root=None, app=None, file=()):
    """The archive of the programs."""
    out = pathlib.Path(folder, "root.cpio")
    words = [sys.executable, ROOT / "tools" / "rootfs.py", ROOT / "target/userland" / arch / "bin", out]
    words += [*(["--root", root] if root else []), *(["--app", app] if app else [])]
    for pair in file:
        words += ["--file", pair]
    subprocess.run(words, check=True)
    return out.read_bytes()


def overlay(arch, script, stdin, disk):
    """What only Linux needs: its first process and the work for it, and what there is of its drivers in files."""
    init = (POSIX / arch / "linux-init").read_bytes()
    drivers = sorted(modules(arch).iterdir()) if disk else []
    return b"".join((
        cpio.entry("init", init, mode=0o100755),
        cpio.entry(".linux", b"", mode=cpio.DIRECTORY),
        cpio.entry(".linux/command", script.encode("utf-8", "surrogateescape")),
        cpio.entry(".linux/stdin", stdin),
        cpio.entry(".linux/modules", b"", mode=cpio.DIRECTORY),
        *(cpio.entry(f".linux/modules/{driver.name}", driver.read_bytes()) for driver in drivers),
        cpio.entry("dev", b"", mode=cpio.DIRECTORY),
        cpio.entry("dev/console", b"", mode=0o020600, device=(5, 1)),
        cpio.entry(cpio.TRAILER, b""),
    ))  # fmt: skip


def frames(console):
    """Takes apart what linux-init sends."""
    said, found, rest = console.partition(b"@begin\n")
    if not found:
        raise Failed(f"its first process does not begin; it says: {said[-500:]}")
    parts = {b"out": [], b"err": []}
    while True:
        head, newline, rest = rest.partition(b"\n")
        kind, _, number = head.partition(b" ")
        if kind == b"end":
            return b"".join(parts[b"out"]), b"".join(parts[b"err"]), int(number)
        if kind not in parts or not newline:
            raise Failed(f"its output is cut: {(head + newline + rest)[-500:]}")
        parts[kind].append(rest[: int(number)])
        rest = rest[int(number) :]


def tell(text):
    print(f"linux: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
