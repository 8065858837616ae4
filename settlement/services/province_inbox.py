"""An inbox that somebody else writes files into: read whole, one process at a time, then moved away."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.kernel.services import bulk
from config.kernel.services.outbox import NotSent
from settlement.services.province_answers import BYTES_MAX

LOCKS = 0x7071  # seed of advisory locks: one process reads an inbox at a time
SETTLE_SECONDS = 5  # a file that was written to since then may still be
AHEAD_SECONDS = 60
AHEAD = "文件时间在未来，请对时 / its time is in the future: set the clocks"
NAMELESS = "文件名须为 UTF-8 / its name is not UTF-8"


@dataclass(frozen=True)
class Found:
    """What a file held, and how it stood then."""

    content: bytes
    stat: os.stat_result


@contextmanager
def alone(*, inbox: str) -> Iterator[bool]:
    """Whether this process is the one to read that inbox now; until it has, no other is."""
    key = [inbox, LOCKS]
    is_mine = bulk.rows("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", key)[0][0]
    try:
        yield is_mine
    finally:
        if is_mine:
            bulk.rows("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", key)


def waiting(*, inbox: Path, begin: str, end: str) -> list[Path]:
    """The files so named, in the order of their names; OSError if the inbox cannot be read."""
    there = sorted(inbox.iterdir())
    found = [path for path in there if path.name.startswith(begin) and path.name.endswith(end)]
    for path in found:
        if not path.name.isprintable():
            raise NotSent(f"{path.name!a}: {NAMELESS}")
    return [path for path in found if path.is_file() and not path.is_symlink()]


def read(*, path: Path, at: datetime) -> Found | None:
    """What it holds, at most a byte more than an answer may; None while it may still be written to."""
    with path.open("rb") as source:
        stat = os.fstat(source.fileno())
        content = source.read(BYTES_MAX + 1)
    age = at.timestamp() - stat.st_mtime
    if age < -AHEAD_SECONDS:
        raise NotSent(f"{path.name}: {AHEAD}")
    return None if age < SETTLE_SECONDS else Found(content, stat)


def move(*, path: Path, target: Path, found: Found) -> None:
    """Out of the inbox, unless it has changed since; it covers no earlier file of other content."""
    if not _is_as(found, path):
        return
    target.mkdir(parents=True, exist_ok=True)
    there = target.joinpath(path.name)
    if there.exists() and there.read_bytes() != found.content:
        digest = hashlib.sha256(found.content).hexdigest()
        there = target.joinpath(f"{path.stem}-{digest[:12]}{path.suffix}")
    path.replace(there)
    if not _is_as(found, there):  # its writer had it open
        there.replace(path)


def _is_as(found: Found, path: Path) -> bool:
    now = path.stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (
        found.stat.st_ino, found.stat.st_size, found.stat.st_mtime_ns,
    )  # fmt: skip
