"""What notes decide for one another: groups, one bank, funds and principal caps (D4, D14, D16).

Only labels that share something scarce are walked, in D4's order: those of a scheme with a fund or
the one-bank rule, those under a principal cap that does not suffice for all, and notes with two
labels of one exclusive group. All others keep what their own note decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from settlement.engine.commitment import commitment_fen, divisor
from settlement.engine.eligibility import bit
from settlement.engine.terms_model import PrincipalCap, Terms

ENTITY = {"note": "note_id", "project": "project_id", "enterprise": "enterprise_id"}
_EXCLUSIVE, _ONE_BANK = bit("exclusive_group"), bit("one_bank_per_enterprise")
_EXHAUSTED = bit("fund_exhausted")


class Label(NamedTuple):
    """One label to walk, with what its note decided."""

    place: int
    scheme_code: str
    note_id: int
    project_id: int
    enterprise_id: int
    bank_id: int
    year: int
    drawn_ordinal: int
    loan_type: str
    mask: int
    waits: bool
    base_fen: int
    factor: int


class Outcome(NamedTuple):
    """What the walk decided for one label."""

    place: int
    mask: int
    eligible_fen: int
    commitment_fen: int | None


class Allocation:
    """Running use of caps, funds, groups and banks."""

    def __init__(self, schemes: Mapping[str, Terms], funds: Mapping[tuple[str, int], int]) -> None:
        self.schemes = schemes
        self.funds = dict(funds)
        self.used: dict[tuple[str, int, int, int], int] = defaultdict(int)
        self.groups: set[tuple[int, str]] = set()
        self.banks: dict[tuple[str, int, int], int] = {}

    def judge(self, label: Label) -> Outcome:
        """Decide one label; those before it in D4's order, then position, are decided."""
        terms = self.schemes[label.scheme_code]
        mask = label.mask
        group = (label.note_id, terms.exclusive_group)
        if terms.exclusive_group and group in self.groups:
            mask |= _EXCLUSIVE
        if mask or label.waits:
            return Outcome(label.place, mask, 0, None)
        if terms.one_bank and self._other_bank(label):
            return Outcome(label.place, _ONE_BANK, 0, None)
        eligible = self._within_caps(label, terms)
        commitment = self._commitment(label, terms, eligible)
        if commitment is not None and not self._committed(label, commitment):
            return Outcome(label.place, _EXHAUSTED, 0, None)
        for slot in _slots(label, terms):
            self.used[slot] += eligible
        self.groups.add(group)
        return Outcome(label.place, 0, eligible, commitment)

    def _other_bank(self, label: Label) -> bool:
        key = (label.scheme_code, label.enterprise_id, label.year)
        return self.banks.setdefault(key, label.bank_id) != label.bank_id

    def _within_caps(self, label: Label, terms: Terms) -> int:
        left = label.base_fen
        for place, cap in _caps(label, terms):
            limit = _limit(cap, label)
            left = min(left, max(limit - self.used[_slot(place, cap, label)], 0))
        return left

    def _commitment(self, label: Label, terms: Terms, eligible: int) -> int | None:
        if terms.fund_method != "first_come_first_served":
            return None
        return commitment_fen(eligible, label.factor, divisor(terms))

    def _committed(self, label: Label, commitment: int) -> bool:
        key = (label.scheme_code, label.year)
        if key not in self.funds:
            return True
        if self.funds[key] < commitment:
            return False
        self.funds[key] -= commitment
        return True


def _caps(label: Label, terms: Terms) -> list[tuple[int, PrincipalCap]]:
    return [
        (place, cap)
        for place, cap in enumerate(terms.principal_caps)
        if (not cap.loan_types or label.loan_type in cap.loan_types)
        and (cap.per != "project" or label.project_id)
    ]


def _limit(cap: PrincipalCap, label: Label) -> int:
    blocks = cap.limit_fen.blocks
    if len(blocks) == 1:
        return blocks[0].amount
    day = label.drawn_ordinal
    within = (
        b.amount
        for b in blocks
        if b.window.starts_on.toordinal() <= day < b.window.ends_on.toordinal()
    )
    return next(within)


def _slot(place: int, cap: PrincipalCap, label: Label) -> tuple[str, int, int, int]:
    entity: int = getattr(label, ENTITY[cap.per])
    return label.scheme_code, place, entity, label.year if cap.span == "year" else 0


def _slots(label: Label, terms: Terms) -> list[tuple[str, int, int, int]]:
    return [_slot(place, cap, label) for place, cap in _caps(label, terms)]


def _under(cap: PrincipalCap) -> pl.Expr:
    under = pl.lit(True)
    if cap.loan_types:
        under = pl.col("loan_type").is_in(cap.loan_types)
    return under & (pl.col("project_id") != 0) if cap.per == "project" else under


def _scarce(labels: pl.DataFrame, terms: Terms) -> pl.Series:
    """Places of the candidate labels of one scheme that share something scarce."""
    candidates = labels.filter(
        (pl.col("scheme_code") == terms.code) & (pl.col("mask") == 0) & ~pl.col("waits")
    )
    if terms.one_bank or terms.fund_method == "first_come_first_served":
        return candidates["place"]
    found = [pl.Series("place", [], dtype=pl.Int64)]
    for cap in terms.principal_caps:
        keys = [ENTITY[cap.per], *(["year"] if cap.span == "year" else [])]
        under = candidates.filter(_under(cap))
        totals = under.group_by(keys).agg(pl.col("base_fen").sum())
        above = totals.filter(pl.col("base_fen") > cap.limit_fen.smallest)
        found.append(under.join(above, on=keys, how="semi")["place"])
    return pl.concat(found)


def _rivals(labels: pl.DataFrame, groups: Mapping[str, str]) -> pl.Series:
    """Places of all labels of notes with two labels of one exclusive group."""
    grouped = labels.select("note_id", group=pl.col("scheme_code").replace_strict(groups))
    twice = grouped.filter(pl.col("group") != "").filter(
        pl.struct("note_id", "group").is_duplicated()
    )
    return labels.join(twice.select("note_id").unique(), on="note_id", how="semi")["place"]


def allocate(labels: pl.DataFrame, terms: Sequence[Terms], funds: pl.DataFrame) -> pl.DataFrame:
    """Labels with the final `mask`, `eligible_fen`, `principal_capped` and `commitment_fen`.

    `labels` come from `eligibility.judge` with `place` (a row number) and `factor`.
    """
    schemes = {one.code: one for one in terms}
    groups = {one.code: one.exclusive_group for one in terms}
    places = pl.concat([_scarce(labels, one) for one in terms] + [_rivals(labels, groups)]).unique()
    chosen = labels.join(places.to_frame(), on="place", how="semi").sort(
        "drawn_on", "institution_code", "note_number", "position"
    )
    amounts = {(code, year): amount for code, year, amount in funds.iter_rows()}
    allocation = Allocation(schemes, amounts)
    outcomes = [allocation.judge(label) for label in _walked(chosen)]
    decided = pl.DataFrame(
        outcomes,
        schema={
            "place": pl.Int64,
            "final": pl.Int64,
            "eligible_fen": pl.Int64,
            "commitment_fen": pl.Int64,
        },
        orient="row",
    )
    granted = (pl.col("mask") == 0) & ~pl.col("waits")
    untouched = pl.when(granted).then("base_fen").otherwise(0)
    return (
        labels.join(decided, on="place", how="left")
        .with_columns(mask=pl.col("final").fill_null(pl.col("mask")))
        .with_columns(eligible_fen=pl.col("eligible_fen").fill_null(untouched))
        .with_columns(
            principal_capped=granted & (pl.col("eligible_fen") < pl.col("base_fen")),
        )
    )


def _walked(chosen: pl.DataFrame) -> list[Label]:
    columns = chosen.with_columns(
        drawn_ordinal=pl.col("drawn_on").cast(pl.Int32).cast(pl.Int64) + 719_163
    ).select(Label._fields)
    return [Label(*row) for row in columns.iter_rows()]
