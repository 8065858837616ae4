"""Plain tables on a terminal, aligned also where characters are two columns wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def yuan(fen: int) -> str:
    """Fen as yuan with separators and two decimals."""
    sign, amount = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{amount // 100:,}.{amount % 100:02d}"


def width(text: str) -> int:
    """How many terminal columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table: the first column to the left, the others to the right."""
    widths = [max(width(line[i]) for line in (header, *lines)) for i in range(len(header))]

    def one(line: Sequence[str]) -> str:
        cells = [
            cell + " " * (w - width(cell)) if place == 0 else " " * (w - width(cell)) + cell
            for place, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * w for w in widths)
    return "\n".join([one(header), rule, *(one(line) for line in lines)])
