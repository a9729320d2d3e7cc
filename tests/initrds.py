"""Initial RAM disks, sound and unsound: cpio archives of the "newc" kind, as bytes."""

import gzip


def archive(count):
    """A sound one, of `count` files."""
    files = (entry(f"file-{number}", b"x" * 100 * number) for number in range(count))
    return b"".join(files) + entry("TRAILER!!!", b"")


def entry(name, data):
    """One file: a header in hexadecimal, its name, its bytes; the last two padded to four bytes."""
    name = name.encode() + b"\0"
    fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return padded(head) + padded(data)


def padded(data):
    return data + bytes(-len(data) % 4)


SOUND = archive(7)
# The file that is cut begins where the three before it end.
CUT_AT = len(b"".join(entry(f"file-{number}", b"x" * 100 * number) for number in range(3)))
CUT_SHORT = archive(7)[: CUT_AT + 150]
NO_TRAILER = archive(7)[:-len(entry("TRAILER!!!", b""))]
COMPRESSED = gzip.compress(archive(7), mtime=0)
NOISE = bytes(range(256)) * 8
