"""One row typed by hand goes the way of a file of one row: the same rules, the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from loans.files.columns import parse
from loans.files.kinds import KINDS
from loans.files.table import ROW, Table
from loans.services.intake import import_frame
from loans.services.outcomes import ImportRefused, Outcome, Source
from loans.values.errors import DomainError, bilingual

BY_HAND = "后台录入 / by hand"
FIRST_ROW = 2  # as in a file, below its header


def enter_row(*, kind: str, values: Mapping[str, str], source: Source) -> Outcome:
    """Take one row in; `values` are texts by column key.

    Raises ImportRefused with every problem found, and DomainError `row_known` if exactly this row is
    stored already: whoever types it twice is told.
    """
    frame = pl.DataFrame(
        {**{key: [text] for key, text in values.items()}, ROW: [FIRST_ROW]},
        schema={**dict.fromkeys(values, pl.String), ROW: pl.Int64},
    )
    parsed = parse(KINDS[kind], Table(frame, "csv"))
    if parsed.problems:
        raise ImportRefused(parsed.problems)
    by_hand = replace(source, file_name=BY_HAND)
    outcome = import_frame(kind=kind, frame=parsed.frame, source=by_hand)
    if not outcome.inserted and not outcome.corrected:
        raise DomainError(
            "row_known",
            bilingual(
                "已登记过内容相同的记录，未重复登记",
                "the same row is stored already and was not entered again",
            ),
        )
    return outcome
