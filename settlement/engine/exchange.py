"""What banks of one circle tell each other of subsidised notes: keyed hashes with a period and a duty, no more.

A hash is HMAC-SHA256 over a version, a kind and normalised parts (`overlap.normal`), a line each, so that
the same matter has the same hash at every bank that holds the key, and nobody else can try numbers out.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from settlement.engine import duplicates, overlap
from settlement.engine.duplicates import WARNING, Match
from settlement.engine.overlap import INVOICE_UNIQUE_CHARACTERS, SERIAL_TELLING_CHARACTERS
from settlement.engine.terms_model import Terms

if TYPE_CHECKING:
    from settlement.engine.duplicate_facts import Known

VERSION = "1"
KINDS = ("note", "contract", "invoice", "serial", "project", "uscc")
RULES = dict(zip(KINDS, ("P1", "P2", "P5", "P5", "P4", "P10"), strict=True))
COLUMNS = dict(
    zip(
        KINDS,
        (
            "note_number",
            "contract_number",
            "invoice_number",
            "serial_number",
            "project_code",
            "uscc",
        ),
        strict=True,
    )
)
HASH = "^[0-9a-f]{64}$"
SLICE_ROWS = 100_000

ENTRIES: dict[str, type[pl.DataType]] = {
    "note_id": pl.Int64,
    "institution_id": pl.Int64,
    "kind": pl.String,
    "hash": pl.String,
    "duty": pl.String,
    "first_day": pl.Date,
    "last_day": pl.Date,
}
CONFLICTS: dict[str, type[pl.DataType]] = {
    "note_id": pl.Int64,
    "kind": pl.String,
    "duty": pl.String,
    "bank_code": pl.String,
}


def keyed(key: bytes, kind: str, text: str) -> str:
    """The hash of one matter, in lower-case hexadecimal; `text` is its normalised parts, a line each."""
    return hmac.digest(key, f"{VERSION}\n{kind}\n{text}".encode(), "sha256").hex()


def entries(
    *, key: bytes, notes: pl.DataFrame, enrolments: pl.DataFrame, invoices: pl.DataFrame,
    terms: Sequence[Terms],
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """What is told of subsidised notes (ENTRIES, in slices): each matter once per note, duty and kind.

    The period is the first and the last subsidised day of the note under schemes of that duty. A credit
    code by itself is told only where a scheme limits what one borrower gets, at whatever bank.
    """
    duties = {one.code: duplicates.duty(one) for one in terms}
    limited = [one.code for one in terms if limits_borrowers(one)]
    periods = _periods(enrolments, duties)
    borrowers = _periods(enrolments.filter(pl.col("scheme_code").is_in(limited)), duties)
    found = [
        _matters(notes, invoices).join(periods, on="note_id"),
        _parted(notes, "uscc", [overlap.normal("uscc")]).join(borrowers, on="note_id"),
    ]
    told = (
        pl.concat(found)
        .unique()
        .sort("note_id", "duty", "kind", "text")
        .join(notes.select("note_id", "institution_id"), on="note_id")
    )
    for part in told.iter_slices(SLICE_ROWS):
        hashes = [keyed(key, kind, text) for kind, text in part.select("kind", "text").iter_rows()]
        yield part.with_columns(hash=pl.Series(hashes, dtype=pl.String)).select(*ENTRIES)


def limits_borrowers(terms: Terms) -> bool:
    """Whether a second bank of the same borrower may break a rule: a cap, or one bank only (ST-22)."""
    per = {cap.per for cap in terms.principal_caps} | {cap.per for cap in terms.amount_caps}
    return terms.one_bank or bool(per & {"borrower", "enterprise"})


def _periods(enrolments: pl.DataFrame, duties: Mapping[str, str]) -> pl.DataFrame:
    own = pl.col("scheme_code")
    return (
        enrolments.with_columns(
            duty=own.replace_strict(duties, default=own, return_dtype=pl.String)
        )
        .filter(pl.col("subsidised_from") < pl.col("subsidised_until"))
        .group_by("note_id", "duty")
        .agg(
            first_day=pl.col("subsidised_from").min(),
            last_day=pl.col("subsidised_until").max() - pl.duration(days=1),
        )
    )


def _matters(notes: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Numbers that say which loan, machine or project it is, as the exact rules compare them."""
    owner = overlap.normal("uscc")
    bought = invoices.filter(pl.col("amount_fen") > 0).join(
        notes.select("note_id", "uscc"), on="note_id"
    )
    number, maker = overlap.normal("invoice_number"), overlap.normal("supplier")
    serial, issued = overlap.normal("serial_number"), pl.col("issued_on").cast(pl.String)
    whole = number.str.len_chars() >= INVOICE_UNIQUE_CHARACTERS
    telling = serial.str.len_chars() >= SERIAL_TELLING_CHARACTERS
    parts = [
        _parted(notes, "note", [overlap.normal("note_number"), owner]),
        _parted(notes, "contract", [overlap.normal("contract_number"), owner]),
        _parted(notes, "project", [overlap.normal("project_code")]),
        _parted(bought.filter(whole), "invoice", [number]),
        _parted(bought.filter(~whole), "invoice", [number, owner]),
        _parted(bought.filter(~whole), "invoice", [number, issued, maker]),
        _parted(bought, "serial", [serial, owner]),
        _parted(bought.filter(telling), "serial", [serial, maker]),
    ]
    return pl.concat(parts)


def _parted(frame: pl.DataFrame, kind: str, parts: Sequence[pl.Expr]) -> pl.DataFrame:
    """Rows of one kind whose number says something."""
    return (
        frame.filter(parts[0] != "").select(
            "note_id", kind=pl.lit(kind), text=pl.concat_str(parts, separator="\n")
        )
    )  # fmt: skip


def conflicts(known: Known) -> Iterator[Match]:
    """P1, P2, P4, P5, P10: what other banks' files tell of the same days and duty, one per note and bank.

    Who gives way is not known from hashes, so it is a warning about the own note: at stake is all it was
    paid under that duty, for a person to ask and judge.
    """
    groups: dict[tuple[str, int, str, str], set[str]] = defaultdict(set)
    for note, kind, duty, bank in known.exchanged.select(*CONFLICTS).iter_rows():
        if known.place(note) is not None:
            groups[RULES[kind], note, duty, bank].add(kind)
    for (rule, note, duty, bank), kinds in sorted(groups.items()):
        terms = known.yielding_scheme([note], {duty})
        if terms is None:
            continue
        yield Match(
            rule=rule,
            key=("exchange", known.name(note), duty, bank),
            severity=WARNING,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=(note,),
            yields=(note,),
            scheme_code=terms.code,
            evidence={
                "matched_by": ";".join(["exchange", *sorted(COLUMNS[kind] for kind in kinds)]),
                "scheme": duty,
                "ask": [bank],
            },
            costs=duplicates.whole([note], schemes=known.codes_of(duty)),
        )
