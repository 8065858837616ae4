"""Who wants to know what a file has just written: apps above loans add themselves to `LISTENERS`.

Each is called with the kind and the moment, in the transaction that wrote the rows, while the stage
`resolved` still holds them (`fresh`, `changed`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

LISTENERS: list[Callable[[str, datetime], None]] = []
