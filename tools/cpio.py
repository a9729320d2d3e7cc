"""Archives of the cpio format "newc", which initial RAM disks are: the same files, the same bytes.

A file's bytes can be made to begin at a page of the archive, so that whoever has the archive in memory
can map them as they are: the name before them is padded with more NULs than the one that ends it. That is
how Linux's buffer-format.rst and dracut-cpio do it; a name with its NULs is at most 4096 bytes long.
"""

PAGE = 4096
NAME_MAX = 4096
HEADER = 110
FILE = 0o100644
DIRECTORY = 0o040755
TRAILER = "TRAILER!!!"


def archive(files):
    """An archive of (name, bytes)."""
    return b"".join(entry(name, data) for name, data in files) + entry(TRAILER, b"")


def entry(name, data, mode=FILE, inode=1, links=1, mtime=0, padding=0, device=(0, 0)):
    """One file: a header in hexadecimal, its name, its bytes; the last two padded to four bytes."""
    name = name.encode("utf-8", "surrogateescape") + bytes(1 + padding)
    fields = [inode, mode, 0, 0, links, mtime, len(data), 0, 0, *device, len(name), 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return padded(head) + padded(data)


def at_page(position, name, data, **fields):
    """Entries for `position` in an archive with which the file's bytes begin at a page."""
    filler = b""
    while True:
        start = position + len(filler) + HEADER + len(name.encode("utf-8", "surrogateescape")) + 1
        padding = -start % PAGE
        if start + padding - position - len(filler) - HEADER <= NAME_MAX:
            return filler + entry(name, data, padding=padding, **fields)
        filler += entry(".", b"", mode=DIRECTORY)


def padded(data):
    return data + bytes(-len(data) % 4)
