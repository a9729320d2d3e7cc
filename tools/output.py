"""Files that are made anew while others may read them."""

import contextlib
import os
import pathlib
import tempfile


@contextlib.contextmanager
def replacing(path):
    """The path of a file to write, which then takes the place of `path` in one step: who has the old
    one open, as QEMU may, keeps it."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
        new = pathlib.Path(folder, path.name)
        yield new
        os.replace(new, path)
