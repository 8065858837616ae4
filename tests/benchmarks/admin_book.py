"""What a bank's book holds besides loans and interest, so that no page of the admin is measured empty.

Added to the synthetic book: everything is derived from its notes, and the same for the same size.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from settlement.management.synthetic_book import COLLECTIONS_PER_NOTE, write_book

SCHEME = "central-sme-2026"
TIERS = ("central", "provincial", "municipal")
KEY = ("institution_code", "note_number")


def write(folder: Path, collections: int) -> None:
    """The synthetic book, and as many further rows as a bank would have beside it."""
    write_book(folder, collections=collections)
    notes = pl.read_csv(folder / "notes.csv", try_parse_dates=True).with_row_index("n")
    contracts = pl.read_csv(folder / "contracts.csv")
    codes = pl.read_csv(folder / "enterprises.csv")["uscc"]
    frames = {
        **_of_notes(notes),
        **_of_enterprises(codes),
        **_money(notes),
        "syndicate-shares": _shares(contracts),
        "external-subsidies": _external(codes),
    }
    for kind, frame in frames.items():
        frame.write_csv(folder / f"{kind}.csv")
    _plan_next_interest(folder)


def write_corrections(folder: Path, to: Path) -> None:
    """The same enterprises and contracts a second time, each changed a little."""
    to.mkdir(parents=True, exist_ok=True)
    pl.read_csv(folder / "enterprises.csv").with_columns(
        name=pl.format("{}（更名）", "name")
    ).write_csv(to / "enterprises.csv")
    pl.read_csv(folder / "contracts.csv").with_columns(amount=pl.col("amount") + 1).write_csv(
        to / "contracts.csv"
    )


def _every(frame: pl.DataFrame, step: int) -> pl.DataFrame:
    return frame.filter(pl.col("n") % step == 0)


def _of_notes(notes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Invoices (one in a thousand names a machine twice), statuses, guarantees, accounts, reviews."""
    n, drawn = pl.col("n"), pl.col("drawn_on")
    guarantees = _every(notes, 5).select(
        *KEY, pl.format("DB{}", n).alias("guarantee_number"), pl.lit("省担保集团").alias("guarantor"),
        "principal", drawn.alias("starts_on"), pl.col("matures_on").alias("ends_on"),
        pl.lit("1.00").alias("fee_rate"),
    )  # fmt: skip
    return {
        "equipment-invoices": notes.select(
            *KEY, pl.format("FP{}", n.cast(pl.String).str.zfill(9)).alias("invoice_number"),
            drawn.alias("issued_on"), pl.col("principal").alias("amount"),
            pl.format("SN{}", pl.when(n % 1_000 == 1).then(n - 1).otherwise(n)).alias("serial_number"),
            pl.lit("设备厂").alias("supplier"),
        ),
        "note-statuses": _every(notes, 10).select(
            *KEY, pl.lit("overdue").alias("status"), (drawn + pl.duration(days=60)).alias("starts_on"),
            (drawn + pl.duration(days=70 + n % 20)).alias("ends_on"),
        ),
        "guarantees": guarantees,
        "payout-agreements": _every(notes, 10).select(
            *KEY, drawn.alias("valid_from"), pl.lit("样例户").alias("account_name"),
            pl.format("6222{}", n.cast(pl.String).str.zfill(9)).alias("account_number"),
            pl.lit("样例开户行").alias("bank_name"), pl.lit("企业要求").alias("reason"),
        ),
    }  # fmt: skip


def _of_enterprises(codes: pl.Series) -> dict[str, pl.DataFrame]:
    """A title and a project for every enterprise."""
    known = codes.to_frame("uscc").with_row_index("n")
    return {
        "enterprise-titles": known.select(
            "uscc", pl.lit("specialized").alias("title"), pl.lit("2025-01-01").alias("valid_from"),
            pl.lit("2028-01-01").alias("valid_to"),
        ),
        "projects": known.select(
            pl.format("XM{}", pl.col("n").cast(pl.String).str.zfill(9)).alias("project_code"), "uscc",
            pl.format("样例项目{}", "n").alias("name"), pl.lit("320100").alias("region_code"),
        ),
    }  # fmt: skip


def _money(notes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Money received, statements of its accounts, finance's answers."""
    heads = pl.DataFrame({"tier": TIERS[:1]})
    received = heads.select(
        pl.lit(SCHEME).alias("scheme_code"), pl.lit("H1000000000000").alias("institution_code"), "tier",
        pl.lit("2026-01-20").alias("received_on"), pl.lit("900000000").alias("amount"),
        pl.lit("财金〔2026〕1号").alias("document_number"),
    )  # fmt: skip
    numbers = pl.DataFrame({"n": range(20_000)})
    statements = numbers.select(
        pl.lit("H1000000000000").alias("institution_code"), pl.lit(SCHEME).alias("scheme_code"),
        pl.lit("central").alias("tier"), pl.lit("2026-03-02").alias("moved_on"),
        pl.lit("1.00").alias("amount"), (pl.col("n") + 1).alias("balance"),
        pl.format("LS{}", pl.col("n").cast(pl.String).str.zfill(9)).alias("reference"),
    )  # fmt: skip
    labelled = notes.filter(pl.col("scheme_codes").str.starts_with(SCHEME))
    reviews = labelled.select(
        pl.lit(SCHEME).alias("scheme_code"), *KEY, pl.lit("2026-06").alias("month"),
        pl.lit("approved").alias("result"), pl.lit("财审〔2026〕6号").alias("document_number"),
    )  # fmt: skip
    return {"pre-allocations": received, "bank-statements": statements, "review-results": reviews}


def _shares(contracts: pl.DataFrame) -> pl.DataFrame:
    """Every fiftieth contract is shared with the head office."""
    return contracts.gather_every(50).select(
        "institution_code", "contract_number", pl.lit("H1000000000000").alias("participant_code"),
        pl.lit("40.00").alias("share"),
    )  # fmt: skip


def _external(codes: pl.Series) -> pl.DataFrame:
    """Every tenth enterprise had a subsidy elsewhere."""
    return codes.gather_every(10).to_frame("uscc").with_row_index("n").select(
        pl.lit("科技局").alias("source"), pl.format("KJ{}", "n").alias("reference"), "uscc",
        pl.lit("loan_interest").alias("kind"), pl.lit("科技贷款贴息").alias("scheme_name"),
        pl.lit(2026).alias("year"), pl.lit("1000.00").alias("amount"),
    )  # fmt: skip


def _plan_next_interest(folder: Path) -> None:
    """The month after each note's last collection, not yet paid."""
    path = folder / "interest-collections.csv"
    known = pl.read_csv(path, infer_schema=False).with_columns(
        pl.col("period_end").str.to_date().alias("day")
    )
    last = known.filter(pl.col("reference").str.ends_with(f"-{COLLECTIONS_PER_NOTE - 1}"))
    planned = last.select(
        *KEY, pl.col("period_end").alias("period_start"),
        pl.col("day").dt.offset_by("1mo").dt.to_string().alias("period_end"), "interest_due",
        pl.lit(None, pl.String).alias("interest_paid"),
        pl.col("day").dt.offset_by("1mo").dt.to_string().alias("collected_on"),
        pl.format("{}P", "reference").alias("reference"),
    )  # fmt: skip
    pl.concat([known.drop("day"), planned]).write_csv(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
    write_corrections(Path(sys.argv[1]), Path(sys.argv[1]) / "corrections")
