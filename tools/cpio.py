"""Archives of the cpio format "newc", which initial RAM disks are: the same files, the same bytes."""


def archive(files):
    """An archive of (name, bytes)."""
    return b"".join(entry(name, data) for name, data in files) + entry("TRAILER!!!", b"")


def entry(name, data):
    """One file: a header in hexadecimal, its name, its bytes; the last two padded to four bytes."""
    name = name.encode() + b"\0"
    fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return padded(head) + padded(data)


def padded(data):
    return data + bytes(-len(data) % 4)
