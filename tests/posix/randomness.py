"""Bytes that nobody can guess: that they look so, differ from boot to boot, come whatever happens to the service, and that it says where they are from."""

import pathlib
import re
import tempfile

import corpus

# What is said to be the source, by platform, with the device and without.
SOURCES = {
    "virt": [("", "from virtio-rng"), ("RNG=none", "there is no source"), ("RNG=none CPU=max", "from RNDR")],
    "x86": [("", "from virtio-rng"), ("RNG=none", "there is no source"), ("RNG=none CPU=max", "from RDRAND|from RDSEED")],
    "rpi": [("", "from bcm2835-rng"), ("", "from bcm2835-rng")],
}
# Pieces of 64 KiB that are read, and how often the service ends meanwhile. Emulating a Pi takes its time.
PIECES, ENDS = {"virt": 16, "x86": 16, "rpi": 2}, {"virt": 3, "x86": 3, "rpi": 1}
# Bytes that are looked at.
COUNT = 1 << 16
# One in a million has more, or less (255 degrees of freedom).
CHI_SQUARE = (150, 380)
# It reads for longer than one seed lasts, and while it does the service ends again and again.
SCRIPT = """
count=$1 pieces=$2 ends=$3
(sleep 0.1; for n in $(seq $ends); do svc kill random && sleep 0.02; done; echo killed >/tmp/killed) &
while [ ! -e /tmp/killed ]; do dd if=/dev/urandom of=/tmp/bytes bs=64k count=$pieces 2>/dev/null; done
echo mine >/dev/urandom && svc list >&2 && svc log random >&2
head -c $count /tmp/bytes
"""


def use(platform):
    """What is wrong, and what the machine said."""
    complaints, seen, said = [], [], ""
    for variables, source in SOURCES[platform]:
        bytes_read, text = boot(platform, variables.split())
        said += text
        where = f"with {variables}" if variables else "as it is"
        if not re.search(f"^.*random: ({source})", text, re.M):
            complaints.append(f"{where} the service does not say `{source}`")
        if not re.search(rf"^random +runs +{ENDS[platform] + 1} ", text, re.M):
            complaints.append(f"{where} the service has not ended so often")
        if len(bytes_read) != COUNT:
            complaints.append(f"{where} {len(bytes_read)} bytes were read")
        elif not CHI_SQUARE[0] < chi_square(bytes_read) < CHI_SQUARE[1]:
            complaints.append(f"{where} bytes are not spread evenly: {chi_square(bytes_read)}")
        pieces = {bytes_read[at : at + 16] for at in range(0, len(bytes_read), 16)}
        if len(pieces) < len(bytes_read) // 16 or any(pieces & others for others in seen):
            complaints.append(f"{where} bytes come twice")
        seen.append(pieces)
    return complaints, said


def boot(platform, variables):
    """Some of the bytes that are read, and what is said meanwhile."""
    with tempfile.TemporaryDirectory(prefix="random-") as folder:
        script = pathlib.Path(folder, "tests/random.sh")
        script.parent.mkdir()
        script.write_text(SCRIPT)
        out, err, _ = corpus.ochre(platform, f"sh /tests/random.sh {COUNT} {PIECES[platform]} {ENDS[platform]}", folder, "1", *variables)
        return out, err.decode(errors="replace")


def chi_square(text):
    wanted = len(text) / 256
    return sum((text.count(value) - wanted) ** 2 / wanted for value in range(256))
