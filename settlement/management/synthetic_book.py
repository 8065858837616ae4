"""A synthetic book as files, built as columns and the same for the same size.

A third of the notes is repaid in part, a fifth carries two schemes, one enterprise in a hundred is at
a cap.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
from stdnum.cn import uscc

COLLECTIONS_PER_NOTE = 10
NOTES_PER_ENTERPRISE = 4
BRANCHES = 40
SCHEMES = (
    "central-sme-2026",
    "central-equipment-2026",
    "jiangsu-manufacturing-2026",
    "jiangsu-sports-2026",
)
FIELDS = ("工业母机", "工业", "工业母机", "体育产业")


def write_book(folder: Path, *, collections: int) -> dict[str, int]:
    """Write the files of a book with this many collections; returns rows by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    notes = max(1, collections // COLLECTIONS_PER_NOTE)
    frames = {
        "institutions": _institutions(),
        "participations": _participations(),
        "lpr": pl.DataFrame(
            {"published_on": ["2025-05-20"], "one_year": ["3.00"], "five_year": ["3.50"]}
        ),
        "enterprises": _enterprises(max(1, notes // NOTES_PER_ENTERPRISE)),
        **_loans(notes),
    }
    for kind, frame in frames.items():
        frame.write_csv(folder / f"{kind}.csv")
    return {kind: frame.height for kind, frame in frames.items()}


def _branch(number: pl.Expr) -> pl.Expr:
    return pl.format("B{}", (number % BRANCHES + 1000).cast(pl.String).str.pad_end(13, "0"))


def _institutions() -> pl.DataFrame:
    numbers = pl.DataFrame({"n": range(BRANCHES)})
    branches = numbers.select(
        _branch(pl.col("n")).alias("institution_code"),
        pl.format("支行{}", "n").alias("name"),
        pl.lit("branch").alias("level"),
        pl.lit("P1000000000000").alias("parent_code"),
        pl.lit("320100").alias("region_code"),
    )
    above = pl.DataFrame(
        {
            "institution_code": ["H1000000000000", "P1000000000000"],
            "name": ["总行", "江苏省分行"],
            "level": ["headquarters", "provincial"],
            "parent_code": ["", "H1000000000000"],
            "region_code": ["110000", "320000"],
        }
    )
    return pl.concat([above, branches])


def _participations() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "scheme_code": list(SCHEMES),
            "institution_code": ["H1000000000000"] * len(SCHEMES),
            "valid_from": ["2026-01-01"] * len(SCHEMES),
        }
    )


def _code(number: int) -> str:
    stem = f"913201{number % 100:02d}MA{number:07d}"
    return stem + str(uscc.calc_check_digit(stem))


def _enterprises(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "uscc": [_code(number) for number in range(count)],
            "name": [f"样例企业{number}有限公司" for number in range(count)],
            "region_code": ["320100"] * count,
            "industry_code": ["C3421"] * count,
            "size": ["small"] * count,
            "ownership": ["private"] * count,
        }
    )


def _loans(count: int) -> dict[str, pl.DataFrame]:
    enterprises = max(1, count // NOTES_PER_ENTERPRISE)
    codes = pl.Series("uscc", [_code(number) for number in range(enterprises)])
    n = pl.col("n")
    owner = n % enterprises
    second = pl.when(n % 5 == 0).then(pl.lit(";jiangsu-manufacturing-2026")).otherwise(pl.lit(""))
    first = pl.when(n % 5 == 0).then(n // 5 % 2).otherwise(n % 4)
    at_cap = owner % 100 == 0
    notes = (
        pl.DataFrame({"n": range(count)})
        .with_columns(
            _branch(n).alias("institution_code"),
            pl.format("JJ{}", n.cast(pl.String).str.zfill(9)).alias("note_number"),
            pl.format("HT{}", n.cast(pl.String).str.zfill(9)).alias("contract_number"),
            codes.gather(pl.int_range(count, eager=True) % enterprises).alias("uscc"),
            first.alias("first"),
            (pl.lit(date(2026, 1, 5)) + pl.duration(days=n * 7 % 150)).alias("drawn_on"),
            pl.when(at_cap)
            .then(pl.lit(400_000_000))
            .otherwise(n * 977 % 9_000_000 + 1_000_000)
            .alias("principal"),
        )
        .with_columns(
            (pl.lit(pl.Series(SCHEMES)).gather(pl.col("first")) + second).alias("scheme_codes"),
            pl.lit(pl.Series(FIELDS)).gather(pl.col("first")).alias("purpose_field"),
            pl.when(pl.col("first") == 3)
            .then(pl.lit("working_capital"))
            .otherwise(pl.lit("fixed_asset"))
            .alias("loan_type"),
            pl.col("drawn_on").dt.offset_by("36mo").alias("matures_on"),
        )
    )
    return {
        "contracts": notes.select(
            "institution_code", "contract_number", "uscc",
            pl.col("drawn_on").alias("signed_on"), "loan_type",
            pl.col("principal").alias("amount"), "purpose_field",
        ),
        "notes": notes.select(
            "institution_code", "note_number", "contract_number", "drawn_on", "matures_on",
            "principal", pl.col("principal").alias("equipment_amount"),
            pl.when(pl.col("first") == 3).then(pl.lit("3.45")).otherwise(pl.lit("4.45"))
            .alias("annual_rate"), "scheme_codes",
        ),
        "repayments": _repayments(notes),
        "interest-collections": _collections(notes),
    }  # fmt: skip


def _repayments(notes: pl.DataFrame) -> pl.DataFrame:
    return notes.filter(pl.col("n") % 3 == 0).select(
        "institution_code",
        "note_number",
        (pl.col("drawn_on") + pl.duration(days=pl.col("n") % 200 + 40)).alias("repaid_on"),
        (pl.col("principal") // 5).alias("amount"),
        pl.format("HK{}", "n").alias("reference"),
    )


def _collections(notes: pl.DataFrame) -> pl.DataFrame:
    """Monthly interest from drawdown on: the first stub to the 21st, then whole months."""
    first_end = pl.col("drawn_on").dt.truncate("1mo").dt.offset_by("1mo20d")
    periods = notes.join(pl.DataFrame({"k": range(COLLECTIONS_PER_NOTE)}), how="cross")
    ends = first_end.dt.offset_by(pl.format("{}mo", "k"))
    starts = (
        pl.when(pl.col("k") == 0)
        .then(pl.col("drawn_on"))
        .otherwise(first_end.dt.offset_by(pl.format("{}mo", pl.col("k") - 1)))
    )
    days = (ends - starts).dt.total_days()
    rate = pl.when(pl.col("first") == 3).then(345).otherwise(445)  # above all subsidies together
    due_fen = pl.col("principal") * rate * days // 36_000
    due = pl.format("{}.{}", due_fen // 100, (due_fen % 100).cast(pl.String).str.zfill(2))
    return periods.select(
        "institution_code",
        "note_number",
        starts.alias("period_start"),
        ends.alias("period_end"),
        due.alias("interest_due"),
        due.alias("interest_paid"),
        ends.alias("collected_on"),
        pl.format("SX{}-{}", "n", "k").alias("reference"),
    )
