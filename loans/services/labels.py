"""Loans know schemes only as labels that notes may carry; labels change the way a file changes them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import polars as pl
from django.db import OperationalError, transaction

from config.kernel.services import bulk
from loans.models import SchemeLabel
from loans.services.intake import import_frame
from loans.services.outcomes import Outcome, Source
from loans.values.errors import DomainError, bilingual

FIRST_ROW = 2  # as in a file, below its header
LABELLED, UNLABELLED = "后台加标签 / labelled by hand", "后台去标签 / label taken off by hand"
FRAME: dict[str, Any] = {
    "row": pl.Int64,
    "institution_code": pl.String,
    "note_number": pl.String,
    "contract_number": pl.String,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "principal": pl.Int64,
    "equipment_amount": pl.Int64,
    "annual_rate": pl.Int64,
    "exchange_rate": pl.Int64,
    "scheme_codes": pl.List(pl.String),
}


def register_label(*, code: str, name: str) -> None:
    """Let notes carry this scheme's code from now on."""
    SchemeLabel.objects.get_or_create(code=code, defaults={"name": name})


def label_notes(*, note_ids: Collection[int], scheme_code: str, source: Source) -> Outcome:
    """Let these notes carry a scheme's label, behind those they carry (its place counts, D14).

    Notes that carry it already are left alone. DomainError `notes_unknown` if whoever asks does not see
    them all, `labels_known` if none changes, `intake_busy` if a file is coming in; ImportRefused as of a
    file that says the same.
    """
    frame = _notes(note_ids).with_columns(
        pl.when(pl.col("scheme_codes").list.contains(scheme_code))
        .then("scheme_codes")
        .otherwise(pl.concat_list("scheme_codes", pl.lit([scheme_code], dtype=pl.List(pl.String))))
        .alias("scheme_codes")
    )
    return _relabel(frame, replace(source, file_name=LABELLED))


def unlabel_notes(*, note_ids: Collection[int], scheme_code: str, source: Source) -> Outcome:
    """Take a scheme's label off these notes; what was paid for them becomes a difference (D20).

    Refusals as in `label_notes`.
    """
    kept = pl.col("scheme_codes").list.set_difference(
        pl.lit([scheme_code], dtype=pl.List(pl.String))
    )
    frame = _notes(note_ids).with_columns(scheme_codes=kept)
    return _relabel(frame, replace(source, file_name=UNLABELLED))


def _notes(note_ids: Collection[int]) -> pl.DataFrame:
    """The notes as a file would have them."""
    found = bulk.rows(
        "SELECT o.code, n.note_number, c.contract_number, n.drawn_on, n.matures_on, n.principal_fen,"
        " n.equipment_fen, n.rate_ppm, n.exchange_rate_e8, n.scheme_codes FROM loans_note n"
        " JOIN loans_contract c ON c.id = n.contract_id JOIN kernel_institution o ON o.id = n.origin_id"
        " WHERE n.id = ANY(%s) ORDER BY n.id",
        [list(note_ids)],
    )
    if not found or len(found) < len(set(note_ids)):
        raise DomainError(
            "notes_unknown",
            bilingual("请选择您机构范围内的借据", "choose notes within your institutions"),
        )
    rows = [(number, *row) for number, row in enumerate(found, start=FIRST_ROW)]
    return pl.DataFrame(rows, schema=FRAME, orient="row")


def _relabel(frame: pl.DataFrame, source: Source) -> Outcome:
    try:
        with transaction.atomic():
            outcome = import_frame(kind="notes", frame=frame, source=source)
    except OperationalError as busy:
        raise DomainError(
            "intake_busy",
            bilingual("正在导入文件，请稍后再试", "a file is coming in: try again in a moment"),
        ) from busy
    if not outcome.corrected:
        raise DomainError(
            "labels_known",
            bilingual("所选借据的标签没有变化", "the labels of these notes would not change"),
        )
    return outcome
