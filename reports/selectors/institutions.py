"""Codes and names of institutions by their number."""

from __future__ import annotations

import polars as pl

from config.kernel.services.bulk import read_frame


def names() -> pl.DataFrame:
    """institution_id, institution_code and institution_name of every institution."""
    return read_frame(
        "SELECT id, code, name FROM kernel_institution ORDER BY id",
        schema={
            "institution_id": pl.Int64,
            "institution_code": pl.String,
            "institution_name": pl.String,
        },
    )
