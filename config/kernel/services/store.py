"""Files by content: what was once told stays on disk under its sha256, whole, and is proved on reading.

Web and workers share the folder. A file is written beside its place and moved there in one step, so
that nobody ever finds half of one; writing the same content again changes nothing.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from config.kernel.services.files import whole

BLOCK = 1 << 20


class MissingFileError(Exception):
    """The store has no file of that content."""


class TamperedFileError(Exception):
    """What is stored is not what was stored."""


def place(sha256: str) -> Path:
    """Where the file of that content is kept."""
    return Path(settings.REPORTS_DIR).joinpath(sha256[:2], sha256)


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def keep(path: Path) -> str:
    """Take a copy of a file into the store; returns its sha256."""
    sha256 = digest(path)
    target = place(sha256)
    if target.exists() and digest(target) == sha256:
        return sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out, path.open("rb") as source:
            while block := source.read(BLOCK):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        Path(partial).chmod(0o440)
        if digest(Path(partial)) != sha256:
            raise TamperedFileError(sha256)  # it changed while it was copied
        Path(partial).replace(target)
        _sync_folder(target.parent)
    finally:
        Path(partial).unlink(missing_ok=True)
    return sha256


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def opened(sha256: str) -> BinaryIO:
    """The file of that content, at its start, proved to be what was stored.

    The very handle that was proved is returned. Raises MissingFileError and TamperedFileError.
    """
    try:
        source = place(sha256).open("rb")
    except FileNotFoundError:
        raise MissingFileError(sha256) from None
    if hashlib.file_digest(source, "sha256").hexdigest() != sha256:
        source.close()
        raise TamperedFileError(sha256)
    source.seek(0)
    return source


def copy_out(sha256: str, target: Path) -> None:
    """Write the file of that content to a place outside the store, whole or not at all."""
    with opened(sha256) as source, whole(target) as partial, partial.open("wb") as out:
        while block := source.read(BLOCK):
            out.write(block)
