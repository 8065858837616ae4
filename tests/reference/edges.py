"""Moves some dates onto a drawdown day, where first and last valid days are told from their neighbours."""

from __future__ import annotations

from random import Random

from tests.reference.columns import key_of
from tests.reference.facts import Row
from tests.reference.lending import Loan
from tests.reference.parties import Draft


def sharpen(draft: Draft, loans: list[Loan]) -> None:
    """Titles, participations, enterprise versions and LPR fixings that start or end that very day."""
    rng = draft.stream("edges")
    for row in draft.rows["enterprise-titles"]:
        _snap(rng, row, _drawdowns(loans, row["uscc"]), 0.5)
    for row in draft.rows["participations"]:
        if row["valid_to"] or row["valid_from"] > "2025":
            _snap(rng, row, _drawdowns(loans, None), 0.4)
    for row in draft.rows["enterprises"]:
        days = _drawdowns(loans, row["uscc"])
        if row["valid_from"] and days and rng.random() < 0.4:
            _move(draft, "enterprises", row, "valid_from", rng.choice(days))
    for row in draft.rows["lpr"][1:]:
        days = [day for day in _drawdowns(loans, None) if day[:7] == row["published_on"][:7]]
        if days and rng.random() < 0.5:
            _move(draft, "lpr", row, "published_on", rng.choice(days))


def _drawdowns(loans: list[Loan], uscc: str | None) -> list[str]:
    return [loan.drawn_on.isoformat() for loan in loans if uscc in (None, loan.enterprise.uscc)]


def _snap(rng: Random, row: Row, days: list[str], share: float) -> None:
    """The last (or else the first) valid day becomes a drawdown day, if the order of both allows."""
    if not days or rng.random() > share:
        return
    day = rng.choice(days)
    if row["valid_to"] and row["valid_from"] <= day:
        row["valid_to"] = day
    elif not row["valid_to"]:
        row["valid_from"] = day


def _move(draft: Draft, kind: str, row: Row, column: str, day: str) -> None:
    """Unless another row has that key already."""
    moved = {**row, column: day}
    if all(key_of(kind, other) != key_of(kind, moved) for other in draft.rows[kind]):
        row[column] = day
