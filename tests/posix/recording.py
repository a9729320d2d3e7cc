"""Runs of a machine that QEMU records: one that has failed is seen again, instruction by instruction.

A recording is a folder with all that it takes: kernel, archive, the disk as it was, what happened outside the machine,
and a script `replay`. What that is given goes to QEMU, as `-S -gdb tcp::1234` for whoever wants to look around.
"""

import shlex
import shutil
import subprocess

from corpus import ARCHES, ROOT

from qemu import plain_status, qemu_line

KERNEL, ARCHIVE, BEFORE, EVENTS = "kernel", "root.cpio", "before.img", "events"
DISK = "disk.img"
REPLAY = """\
#!/bin/sh
# The same run again, instruction by instruction: replay [what QEMU is to be told as well]
cd "$(dirname "$0")" && cp --sparse=always {before} {disk} && exec {line} "$@"
"""


def record(platform, folder, root, words, limit):
    """Runs a board of one CPU, to which nobody types, with `DISK` in the folder; what it said, and its status."""
    archive = ["tools/rootfs.py", f"target/userland/{ARCHES[platform]}/bin", folder / ARCHIVE, "--root", root]
    subprocess.run([*archive, "--native", f"target/{platform}/initrd.cpio"], cwd=ROOT, check=True)
    shutil.copy2(ROOT / "target" / platform / "ochre.img", folder / KERNEL)
    subprocess.run(["cp", "--sparse=always", DISK, BEFORE], cwd=folder, check=True)
    again = shlex.join(line(platform, "replay", words))
    (folder / "replay").write_text(REPLAY.format(before=BEFORE, disk=DISK, line=again))
    (folder / "replay").chmod(0o755)
    return run(line(platform, "record", words), folder, limit)


def replay(folder, limit):
    """The run again: what it said, and its status."""
    return run(["./replay"], folder, limit)


def line(platform, what, words):
    """The command that records or replays, in the folder."""
    variables = {"KERNEL": KERNEL, "INITRD": ARCHIVE, "DISK": DISK, "SMP": "1", "EVENTS": f"{what},rrfile={EVENTS}"}
    return [*qemu_line(platform, **variables), "-append", words, "-serial", "stdio", "-monitor", "none"]


def run(command, folder, limit):
    done = subprocess.run(
        ["timeout", str(limit), *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    return text, plain_status(done.returncode, command[0])
