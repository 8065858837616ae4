"""What the duplicate check has found of notes."""

from __future__ import annotations

import polars as pl


def notes_found() -> pl.DataFrame:
    """One row per note with something found: what, and how far it is, in words (note_id, duplicates)."""
    return pl.DataFrame(schema={"note_id": pl.Int64, "duplicates": pl.String})
