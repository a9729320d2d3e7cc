"""Initial RAM disks, sound and unsound: cpio archives of the "newc" kind, as bytes."""

import gzip

import machine  # noqa: F401, puts tools/ on the path

import cpio
from cpio import entry


def archive(count):
    """A sound one, of `count` files."""
    return cpio.archive((f"file-{number}", b"x" * 100 * number) for number in range(count))


SOUND = archive(7)
# The file that is cut begins where the three before it end.
CUT_AT = len(b"".join(entry(f"file-{number}", b"x" * 100 * number) for number in range(3)))
CUT_SHORT = archive(7)[: CUT_AT + 150]
NO_TRAILER = archive(7)[:-len(entry("TRAILER!!!", b""))]
COMPRESSED = gzip.compress(archive(7), mtime=0)
NOISE = bytes(range(256)) * 8
