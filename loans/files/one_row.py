"""One row read by itself: the same cells as in a file, without the machinery for columns of millions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loans.files.cells import RefusedCellError, parse_cell
from loans.files.kind_types import Kind


def read_row(kind: Kind, texts: Mapping[str, str]) -> dict[str, Any] | None:
    """The typed values of a row that has nothing wrong with it, by column; None if it might have.

    A blank cell is its column's default. Whoever gets None reads the row as a file, which says what is
    wrong. Rules across columns are not looked at: a kind that has any is no kind for this.
    """
    assert not kind.checks, "nothing here looks at rules across columns"
    values: dict[str, Any] = {}
    for column in kind.columns:
        text = texts.get(column.key, "").strip()
        if not text:
            if column.required:
                return None
            values[column.key] = column.default
            continue
        try:
            values[column.key] = parse_cell(column, text)
        except RefusedCellError:
            return None
    return values
