"""A zip whose bytes depend on its files alone, streamed from disk."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest the format knows
_UNIX, _READABLE = 3, 0o100644 << 16


class Archive:
    """An open zip; files stand in it in the order they are added."""

    def __init__(self, out: zipfile.ZipFile) -> None:
        self._out = out

    def add(self, name: str, source: BinaryIO) -> tuple[int, str]:
        """Add one file; returns its bytes and their sha256."""
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, _NO_DATE)
        info.compress_type, info.create_system, info.external_attr = (
            zipfile.ZIP_DEFLATED,
            _UNIX,
            _READABLE,
        )
        with self._out.open(info, "w", force_zip64=True) as target:
            while block := source.read(BLOCK):
                digest.update(block)
                size += len(block)
                target.write(block)
        return size, digest.hexdigest()


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """A new zip at this place."""
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        yield Archive(out)
