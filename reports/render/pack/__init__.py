"""What an audit pack carries besides its lists: a read-me and a program that checks it again."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def read_me() -> bytes:
    """How to read and re-add the pack."""
    return (_HERE / "readme.txt").read_bytes()


def check_program() -> bytes:
    """A Python program without dependencies that holds the files against the manifest."""
    return (_HERE / "check.txt").read_bytes()
