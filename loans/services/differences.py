"""Field by field: what rows of a file would change, before and after, as people read it."""

from __future__ import annotations

import polars as pl

from config.kernel.services import bulk
from loans.files.kinds import KINDS
from loans.services.intake import Intake

SCHEMA: dict[str, type[pl.DataType]] = {
    "row": pl.Int64,
    "key": pl.String,
    "column": pl.String,
    "header": pl.String,
    "before": pl.String,
    "after": pl.String,
}
NONE = pl.DataFrame(schema=SCHEMA)

# What stands in a file for a row that a column points at.
_CODES = {
    "enterprise_id": "(SELECT uscc FROM loans_enterprise WHERE id = {0})",
    "project_id": "(SELECT project_code FROM loans_project WHERE id = {0})",
    "contract_id": "(SELECT contract_number FROM loans_contract WHERE id = {0})",
    "note_id": "(SELECT note_number FROM loans_note WHERE id = {0})",
    "guarantee_id": "(SELECT guarantee_number FROM loans_guarantee WHERE id = {0})",
    "scheme_codes": "array_to_string({0}, ';')",
    "exchange_rate_e8": "trim_scale({0} * 0.00000001)::text",
    "dishonest": "CASE WHEN {0} THEN 'yes' ELSE 'no' END",
}
_INSTITUTION = "(SELECT code FROM kernel_institution WHERE id = {0})"
_INSTITUTIONS = {"institution_id", "origin_id", "participant_id", "new_institution_id"}
_INSTITUTION_COLUMNS = ("name", "level", "parent_code", "region_code")


def _text(column: str) -> str:
    """SQL of a column's value as a file would write it."""
    if column in _CODES:
        return _CODES[column]
    if column in _INSTITUTIONS:
        return _INSTITUTION
    if column.endswith("_fen"):
        return "({0} * 0.01)::numeric(22, 2)::text"
    if column.endswith("_ppm"):
        return "({0} * 0.0001)::numeric(12, 4)::text"
    return "{0}::text"


def fingerprint(intake: Intake) -> str:
    """One figure for all that the rows of `resolved` would do and to which stored rows they do it."""
    target = intake.target
    before, join = "", ""
    if intake.kind.klass != "evidence":
        join = f"LEFT JOIN {target.table} t ON t.id = r.stored_id AND r.changed"
        before = "".join(f", coalesce(t.{name}::text, '∅')" for name in intake.content)
    ((found,),) = bulk.rows(
        "SELECT coalesce(sum(hashtextextended(concat_ws('|', r.row, coalesce(r.stored_id, 0),"
        f" r.fresh, r.changed, r.differs{before}), 0)), 0)::text FROM resolved r {join}"
    )
    return str(found)


def differences(intake: Intake) -> pl.DataFrame:
    """Every field that would change, by row of the file; evidence never changes."""
    if intake.kind.klass == "evidence" or not intake.content:
        return NONE
    values = ", ".join(
        f"({place}, '{intake.file_column(name)}', {_text(name).format(f't.{name}')},"
        f" {_text(name).format(f'r.{name}')}, t.{name} IS DISTINCT FROM r.{name})"
        for place, name in enumerate(intake.content)
    )
    key = ", ".join(f"s.{name}::text" for name in intake.kind.key)
    found = bulk.read_frame(
        f"SELECT r.row, concat_ws(' · ', {key}), v.name, '', v.before, v.after"
        f" FROM resolved r JOIN stage s USING (row) JOIN {intake.target.table} t ON t.id = r.stored_id"
        f" CROSS JOIN LATERAL (VALUES {values}) AS v(place, name, before, after, differs)"
        " WHERE r.changed AND v.differs ORDER BY r.row, v.place",
        schema=SCHEMA,
    )
    headers = {column.key: column.header_zh for column in intake.kind.columns}
    return found.with_columns(pl.col("column").replace(headers).alias("header"))


def institution_differences(
    frame: pl.DataFrame, stored: dict[str, tuple[str, ...]]
) -> pl.DataFrame:
    """The same for an institutions file, beside what is stored by code."""
    kind = KINDS["institutions"]
    found = []
    for row in frame.iter_rows(named=True):
        before = stored.get(row["institution_code"])
        for name, old in zip(_INSTITUTION_COLUMNS, before or (), strict=before is not None):
            new = row[name] or ""
            if old != new:
                header = kind.column(name).header_zh
                found.append((row["row"], row["institution_code"], name, header, old, new))
    return pl.DataFrame(found, schema=SCHEMA, orient="row") if found else NONE
