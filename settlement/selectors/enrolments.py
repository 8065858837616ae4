"""Judgements as stored, in the shape in which a new judgement is compared with them."""

from __future__ import annotations

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows

COLUMNS: Schema = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "position": pl.Int64,
    "status": pl.String,
    "reasons": pl.String,
    "eligible_fen": pl.Int64,
    "principal_capped": pl.Boolean,
    "commitment_fen": pl.Int64,
    "subsidised_from": pl.Date,
    "subsidised_until": pl.Date,
    "tiers_off": pl.String,
    "lpr_ppm": pl.Int64,
    "version_id": pl.Int64,
}
SQL_COLUMNS = {
    "note_id": "bigint",
    "scheme_code": "text",
    "position": "bigint",
    "status": "text",
    "reasons": "text",
    "eligible_fen": "bigint",
    "principal_capped": "boolean",
    "commitment_fen": "bigint",
    "subsidised_from": "date",
    "subsidised_until": "date",
    "tiers_off": "text",
    "lpr_ppm": "bigint",
    "version_id": "bigint",
}
_LISTS = ("reasons", "tiers_off")
_CONTENT = [column for column in COLUMNS if column not in ("note_id", "scheme_code")]

UPSERT = f"""
    INSERT INTO settlement_enrolment (institution_id, exclusive_group, {", ".join(COLUMNS)})
    SELECT n.institution_id, g.exclusive_group, {
    ", ".join(f"string_to_array(j.{c}, ';')" if c in _LISTS else f"j.{c}" for c in COLUMNS)
}
    FROM judged j JOIN loans_note n ON n.id = j.note_id
    JOIN unnest(%s::text[], %s::text[]) g (scheme_code, exclusive_group) USING (scheme_code)
    ORDER BY j.note_id, j.position
    ON CONFLICT (note_id, scheme_code) DO UPDATE SET exclusive_group = excluded.exclusive_group,
    {", ".join(f"{column} = excluded.{column}" for column in _CONTENT)}
"""

GUARANTEE_COLUMNS = {
    "guarantee_id": "bigint",
    "note_id": "bigint",
    "scheme_code": "text",
    "months": "bigint",
    "subsidy_fen": "bigint",
    "status": "text",
    "reasons": "text",
}
GUARANTEE_UPSERT = """
    INSERT INTO settlement_guaranteesubsidy
        (institution_id, guarantee_id, note_id, scheme_code, months, subsidy_fen, status, reasons)
    SELECT n.institution_id, d.guarantee_id, d.note_id, d.scheme_code, d.months, d.subsidy_fen,
           d.status, string_to_array(d.reasons, ';')
    FROM due d JOIN loans_note n ON n.id = d.note_id ORDER BY d.guarantee_id
    ON CONFLICT (guarantee_id, scheme_code) DO UPDATE SET
    note_id = excluded.note_id, institution_id = excluded.institution_id, months = excluded.months,
    subsidy_fen = excluded.subsidy_fen, status = excluded.status, reasons = excluded.reasons
    WHERE (settlement_guaranteesubsidy.note_id, settlement_guaranteesubsidy.months,
           settlement_guaranteesubsidy.subsidy_fen, settlement_guaranteesubsidy.status,
           settlement_guaranteesubsidy.reasons)
      IS DISTINCT FROM
          (excluded.note_id, excluded.months, excluded.subsidy_fen, excluded.status, excluded.reasons)
"""


def comparable(judged: pl.DataFrame) -> pl.DataFrame:
    """An engine's judgement with lists joined by `;`, columns as stored."""
    joined = [pl.col(name).list.join(";") for name in _LISTS]
    return judged.with_columns(joined).select(
        pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()
    )


def comparable_guarantees(due: pl.DataFrame) -> pl.DataFrame:
    """An engine's guarantee subsidies with reasons joined by `;`."""
    return due.with_columns(pl.col("reasons").list.join(";")).select(list(GUARANTEE_COLUMNS))


def stored(*, note_ids: list[int] | None = None) -> pl.DataFrame:
    """Judgements as they stand, of all notes or of these."""
    columns = ", ".join(
        f"array_to_string({name}, ';')" if name in _LISTS else name for name in COLUMNS
    )
    narrowed = "WHERE note_id = ANY(%(ids)s)" if note_ids is not None else ""
    return read_frame(
        f"SELECT {columns} FROM settlement_enrolment {narrowed}",
        {"ids": note_ids} if note_ids is not None else {},
        schema=COLUMNS,
    )


def stored_of_group(*, group: str) -> list[str]:
    """Schemes under which some label was judged as one of this exclusive group."""
    found = rows(
        "SELECT DISTINCT scheme_code FROM settlement_enrolment WHERE exclusive_group = %s", [group]
    )
    return [str(row[0]) for row in found]


def eligible(*, note_ids: list[int]) -> pl.DataFrame:
    """The eligible judgements of these notes, lists as lists, for the engine."""
    return _listed(stored(note_ids=note_ids).filter(pl.col("status") == "eligible"))


def judged() -> pl.DataFrame:
    """All judgements as they stand, lists as lists, for the engine."""
    return _listed(stored())


def _listed(frame: pl.DataFrame) -> pl.DataFrame:
    lists = [
        pl.col(name).str.split(";").list.eval(pl.element().filter(pl.element() != ""))
        for name in _LISTS
    ]
    return frame.with_columns(lists)


def stored_guarantees() -> pl.DataFrame:
    """Guarantee subsidies as they stand, reasons joined by `;`."""
    kinds = {"bigint": pl.Int64, "text": pl.String}
    columns = ", ".join(
        "array_to_string(reasons, ';')" if name == "reasons" else name for name in GUARANTEE_COLUMNS
    )
    return read_frame(
        f"SELECT {columns} FROM settlement_guaranteesubsidy",
        schema={name: kinds[kind] for name, kind in GUARANTEE_COLUMNS.items()},
    )
