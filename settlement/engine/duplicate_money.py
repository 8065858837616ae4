"""P6–P12: money above interest, on wrong days, refinanced, split, above caps, from outside, unspent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl

from settlement.engine import duplicates, overlap
from settlement.engine.duplicate_facts import Known
from settlement.engine.duplicates import VIOLATION, WARNING, Claim, Match, article
from settlement.engine.terms_model import Terms

UNTOUCHED_DAYS = 90  # after how long money nothing of which was used is asked about: assumed


def above_interest(known: Known) -> Iterator[Match]:
    """P6: all subsidies of a note and year above the interest it paid that year (ST-13, MF-07, D10)."""
    outside = (
        _external_of_notes(known)
        .group_by("note_id", "year")
        .agg(outside_fen=pl.col("amount_fen").sum())
    )
    opening = known.opening.group_by("note_id", "scheme_code", "year").agg(
        pl.col("amount_fen").sum(), pl.col("interest_paid_fen").max()
    )
    opened = opening.group_by("note_id", "year").agg(
        opening_fen=pl.col("amount_fen").sum(),
        opening_interest_fen=pl.col("interest_paid_fen").max(),
    )
    keys = ["note_id", "year"]
    totals = known.paid.group_by(keys).agg(pl.col("paid_fen").sum())
    for frame in (known.interest, outside, opened):
        totals = totals.join(frame, on=keys, how="left")
    above = (
        totals.fill_null(0)
        .with_columns(
            excess_fen=pl.col("paid_fen") + pl.col("outside_fen") + pl.col("opening_fen")
            - pl.col("interest_fen") - pl.col("opening_interest_fen")
        )
        .filter(pl.col("excess_fen") > 0)
        .sort(keys)
    )  # fmt: skip
    for row in above.iter_rows(named=True):
        if known.place(row["note_id"]) is not None:
            yield _above(known, row)


def _above(known: Known, row: dict[str, Any]) -> Match:
    note, year = row["note_id"], row["year"]
    terms = known.yielding_scheme([note])
    assert terms is not None, note
    return Match(
        rule="P6",
        key=(known.name(note), str(year)),
        severity=VIOLATION,
        article=article(terms, "interest_ceiling"),
        notes=(note,),
        yields=(note,),
        scheme_code=terms.code,
        evidence={k: row[k] for k in row if k != "note_id"},
        costs=duplicates.beyond(
            note, year, min(row["excess_fen"], row["paid_fen"]), [t.code for t in known.terms]
        ),
    )


def _external_of_notes(known: Known) -> pl.DataFrame:
    """Outside loan-interest subsidies by the note they name (institution and number, as in D10)."""
    return known.external.filter(pl.col("kind") == "loan_interest").join(
        known.notes.select("note_id", "institution_code", "note_number"),
        on=["institution_code", "note_number"],
    )


def refinanced(known: Known) -> Iterator[Match]:
    """P8: a new subsidised note of the amount just repaid of a subsidised one (借新还旧)."""
    for first, second, repaid_on, amount in overlap.refinanced(
        known.notes, known.repayments
    ).iter_rows():
        terms = known.yielding_scheme([second])
        if terms is None:
            continue
        yield Match(
            rule="P8",
            key=tuple(known.keys([first, second])),
            severity=WARNING,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=(first, second),
            yields=(second,),
            scheme_code=terms.code,
            evidence={
                "matched_by": "amount_fen",
                "days_apart_at_most": overlap.DAYS_APART,
                "ask": known.asks([second], [first]),
            },
            said={first: {"repaid_on": str(repaid_on), "repaid_fen": amount}},
            costs=duplicates.whole([second]),
        )  # fmt: skip


class Limit(NamedTuple):
    """An amount of principal that a scheme's file sets, in fen, and where it stands there."""

    terms: Terms
    key: str
    per: str
    loan_types: tuple[str, ...]
    fen: int


def _limits(known: Known) -> Iterator[Limit]:
    """The principal caps of all schemes over their life, at the least amount they ever have."""
    for terms in known.terms:
        for cap in terms.principal_caps:
            if cap.span == "life":
                yield Limit(terms, cap.key, cap.per, cap.loan_types, cap.limit_fen.smallest)


def _bases(known: Known, limit: Limit) -> pl.DataFrame:
    """The scheme's eligible notes with their base before and after the principal cap, fen of CNY."""
    terms, loan_types = limit.terms, limit.loan_types
    base = "equipment_fen" if terms.base == "equipment" else "principal_fen"
    chosen = (
        known.notes.filter(pl.col("loan_type").is_in(loan_types)) if loan_types else known.notes
    )
    eligible = known.enrolments.filter(pl.col("scheme_code") == terms.code)
    based = chosen.select(
        *overlap.ORDER, "enterprise_id", "uscc", "bank_id", "contract_id",
        base_fen=overlap.in_cny(base),
    )  # fmt: skip
    return based.join(eligible.select("note_id", "eligible_fen"), on="note_id")


def split(known: Known) -> Iterator[Match]:
    """P9: notes of one enterprise and day that stay below a limit only each by itself."""
    for limit in _limits(known):
        if limit.per != "project":
            yield from _splits(known, limit, overlap.on_one_day(_bases(known, limit)))
    for terms in known.terms:
        if terms.guarantee is not None:
            yield from _split_guaranteed(known, terms, terms.guarantee.max_note_fen)


def _split_guaranteed(known: Known, terms: Terms, largest_fen: int) -> Iterator[Match]:
    """Notes together too large for the guarantee-fee subsidy that one of them has (ST-08).

    It is the fee's subsidy that gives way, so none of the interest's is at stake.
    """
    limit = Limit(terms, "guarantee.largest_note", "note", (), largest_fen)
    guaranteed = known.guaranteed.filter(pl.col("scheme_code") == terms.code)["note_id"].to_list()
    drawn = overlap.on_one_day(_bases(known, limit))
    with_fee = pl.col("note_id").is_in(guaranteed).any().over("draw")
    yield from _splits(known, limit, drawn.filter(with_fee).with_columns(eligible_fen=pl.lit(0)))


def _splits(known: Known, limit: Limit, drawn: pl.DataFrame) -> Iterator[Match]:
    groups = overlap.above_cap(drawn, by="draw", limit_fen=limit.fen).filter("each_below")
    for group in groups.partition_by("draw", maintain_order=True):
        yield _over(known, limit, group, rule="P9", key=known.keys(group["note_id"].to_list()))


def above_caps(known: Known) -> Iterator[Match]:
    """P10: one borrower, known by whatever code, above a principal cap at several banks or codes.

    A warning where the cap has cut the notes already (D4), a violation where it has not.
    """
    leader = _leaders(known.same_enterprises.select("first", "second").iter_rows())
    own = pl.col("enterprise_id")
    for limit in _limits(known):
        if limit.per != "enterprise":
            continue
        bases = _bases(known, limit).with_columns(
            borrower=own.replace_strict(leader, default=own, return_dtype=pl.Int64)
        )
        spread = pl.col("bank_id").n_unique().over("borrower") > 1
        codes = own.n_unique().over("borrower") > 1
        above = overlap.above_cap(bases, by="borrower", limit_fen=limit.fen).filter(spread | codes)
        for group in above.partition_by("borrower", maintain_order=True):
            yield _over(known, limit, group, rule="P10", key=[min(group["uscc"].to_list())])


def _leaders(pairs: Iterable[tuple[int, ...]]) -> dict[int, int]:
    """Enterprise → one of those it is the same as; enterprises that are alone are left out."""
    leader: dict[int, int] = {}
    for first, second in pairs:
        kept, given_up = leader.get(first, first), leader.get(second, second)
        leader |= {one: kept for one, whose in leader.items() if whose == given_up}
        leader |= {first: kept, second: kept, given_up: kept}
    return leader


def _over(
    known: Known, limit: Limit, group: pl.DataFrame, *, rule: str, key: Sequence[str]
) -> Match:
    """Notes that are together above a limit; at stake is what is subsidised above it."""
    notes = tuple(group["note_id"].to_list())
    amounts = group.select("note_id", "granted_over_fen", "eligible_fen").iter_rows()
    parts = {note: (over, eligible) for note, over, eligible in amounts if over > 0}
    return Match(
        rule=rule,
        key=(limit.terms.code, limit.key, *key),
        severity=VIOLATION if parts else WARNING,
        article=article(limit.terms, limit.key),
        notes=notes,
        yields=tuple(note for note in notes if note in parts) or notes[-1:],
        scheme_code=limit.terms.code,
        evidence={
            "limit": limit.key,
            "limit_fen": limit.fen,
            "notes": len(notes),
            "banks": group["bank_id"].n_unique(),
            "subsidised_above_it": bool(parts),
            "ask": known.asks(notes[-1:], notes),
        },
        costs=duplicates.share(parts, scheme_code=limit.terms.code),
    )


OUTSIDE_KEYS = {
    "note_number": ("loan_interest", "leasing_interest", "grant"),
    "project_code": ("loan_interest",),
    "invoice_number": ("loan_interest", "leasing_interest", "grant"),
}
"""By which keys each kind of outside record speaks against a note: a project may have grants (MF-27)
and leasing subsidies beside (MF-13)."""


def from_outside(known: Known) -> Iterator[Match]:
    """P11, and P5 for grants by invoice: outside records of the enterprise's note, project or invoice."""
    hits = _outside_hits(known)
    keys = ["source", "reference", "uscc", "kind", "scheme_name", "year", "amount_fen"]
    grouped = hits.group_by(keys, maintain_order=True).agg(
        pl.col("note_id").unique(), pl.col("by").unique().sort()
    )
    for row in grouped.sort(keys).iter_rows(named=True):
        notes = known.in_order(row["note_id"])
        terms = known.yielding_scheme(notes)
        if terms is None:
            continue
        record = {name: row[name] for name in keys}
        grant = row["kind"] == "grant" and row["by"] == ["invoice_number"]
        yield Match(
            rule="P5" if grant else "P11",
            key=("outside", row["source"], row["reference"]),
            severity=WARNING,
            article=article(terms, "exclusive_group"),
            notes=notes,
            yields=notes,
            scheme_code=terms.code,
            evidence={"matched_by": ";".join(row["by"]), **record},
            costs=duplicates.whole(notes, year=row["year"]),
            outside=(record,),
        )


def _outside_hits(known: Known) -> pl.DataFrame:
    """Outside records by subsidised note: same code, same normalised key, a subsidised day that year."""
    windows = known.enrolments.group_by("note_id").agg(
        since=pl.col("subsidised_from").min().dt.year().cast(pl.Int64),
        until=(pl.col("subsidised_until").max() - pl.duration(days=1)).dt.year().cast(pl.Int64),
    )
    named = known.notes.join(known.external.select("uscc").unique(), on="uscc", how="semi")
    notes = named.join(windows, on="note_id")
    invoiced = notes.join(known.invoices.select("note_id", "invoice_number"), on="note_id")
    found = []
    for by, kinds in OUTSIDE_KEYS.items():
        records = known.external.filter(pl.col("kind").is_in(kinds)).with_columns(
            key=overlap.normal(by), at=pl.col("institution_code")
        )
        own = (invoiced if by == "invoice_number" else notes).with_columns(key=overlap.normal(by))
        found.append(
            records.filter(pl.col("key") != "")
            .drop("institution_code", "note_number", "project_code", "invoice_number")
            .join(own, on=["uscc", "key"])
            .filter(_named(by))
            .filter(pl.col("year").is_between("since", "until"))
            .select("source", "reference", "uscc", "kind", "scheme_name", "year", "amount_fen",
                    "note_id", by=pl.lit(by))
        )  # fmt: skip
    return pl.concat(found)


def _named(by: str) -> pl.Expr:
    """Whether a record that names an institution means the note's: its own, or the bank's head office."""
    if by != "note_number":
        return pl.lit(value=True)
    at = pl.col("at")
    return (at == "") | (at == pl.col("institution_code")) | (at == pl.col("bank_code"))


def untouched(known: Known) -> Iterator[Match]:
    """P12: a pre-allocation of which nothing was used for months."""
    for row in known.untouched.sort("scheme_code", "institution_code", "tier", "number").iter_rows(
        named=True
    ):
        terms = known.schemes.get(row["scheme_code"])
        if terms is None:
            continue
        fund = ("", row["scheme_code"], row["institution_code"], row["tier"], str(row["number"]))
        claim = Claim(
            0,
            row["scheme_code"],
            row["institution_id"],
            row["received_on"].year,
            row["tier"],
            row["amount_fen"],
        )
        yield Match(
            rule="P12",
            key=fund[1:],
            severity=WARNING,
            article=duplicates.listed(terms, duplicates.IN_TIME),
            notes=(),
            yields=(),
            scheme_code=terms.code,
            evidence={"institution_code": row["institution_code"], "tier": row["tier"],
                      "received_on": str(row["received_on"]), "amount_fen": row["amount_fen"],
                      "entry": row["number"], "more_than_days": UNTOUCHED_DAYS},
            costs=duplicates.given(claim),
            institution_id=row["institution_id"],
        )  # fmt: skip
