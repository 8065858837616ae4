"""Who wants to know what a file has just written: apps above loans add themselves to `LISTENERS`.

Each is called with the kind and the moment, in the transaction that wrote the rows, while the stage
`resolved` still holds them (`fresh`, `changed`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Listener(Protocol):
    """Hears of the kind that was written."""

    def __call__(self, *, kind: str, at: datetime) -> None:
        """Do what follows from it."""


LISTENERS: list[Listener] = []
