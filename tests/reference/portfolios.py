"""Random portfolios in the file format, for comparing the product with the oracle.

`random_portfolio` is deterministic in its arguments and takes switches, one per feature
(`SWITCHES`), so that a failing example can be shrunk by switching features off.
"""

from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import strategies as st

from tests.reference.cashflows import draw_cashflows
from tests.reference.columns import columns_of
from tests.reference.edges import sharpen
from tests.reference.facts import KINDS, Portfolio, fen, yuan
from tests.reference.lending import draw_loans
from tests.reference.outside import draw_outside
from tests.reference.parties import SWITCHES, Draft, draw_parties

__all__ = ["COVERING_SEEDS", "SWITCHES", "portfolios", "random_portfolio", "write"]

# (seed, notes): together they meet every name in `features.ALL_FEATURES`, most of them at least three
# times, and tell the oracle from versions of itself with one rule changed.
COVERING_SEEDS: tuple[tuple[int, int], ...] = tuple(
    (seed, 40) for seed in (2, 3, 4, 16, 17, 19, 24, 26, 27, 45, 67, 81, 93, 101, 104, 118)
)


def random_portfolio(seed: int, *, notes: int, **switches: bool) -> Portfolio:
    """A portfolio of `notes` notes: kind -> rows of text, kinds in import order, none empty."""
    if unknown := switches.keys() - set(SWITCHES):
        raise ValueError(f"unknown switches: {sorted(unknown)}")
    draft = Draft(seed, notes, switches)
    draw_parties(draft)
    loans = draw_loans(draft)
    sharpen(draft, loans)
    draw_cashflows(draft, loans)
    draw_outside(draft, loans)
    _finish_contracts(draft)
    return {kind: draft.rows[kind] for kind in KINDS if draft.rows.get(kind)}


def _finish_contracts(draft: Draft) -> None:
    """A contract's amount covers its notes."""
    for contract in draft.rows["contracts"]:
        contract.pop("intent")
        drawn = sum(
            fen(note["principal"])
            for note in draft.rows["notes"]
            if note["institution_code"] == contract["institution_code"]
            and note["contract_number"] == contract["contract_number"]
        )
        contract["amount"] = yuan(drawn + (drawn // 5 if drawn % 2 else 0))


@st.composite
def portfolios(draw: st.DrawFn, min_notes: int = 3, max_notes: int = 25) -> Portfolio:
    """Random portfolios; shrinks towards fewer notes and fewer features."""
    notes = draw(st.integers(min_notes, max_notes))
    seed = draw(st.integers(0, 2**32 - 1))
    switches = draw(st.fixed_dictionaries(dict.fromkeys(SWITCHES, st.booleans())))
    return random_portfolio(seed, notes=notes, **switches)


def write(portfolio: Portfolio, folder: str | Path) -> None:
    """One CSV file per kind."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for kind, rows in portfolio.items():
        path = Path(folder) / f"{kind}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns_of(kind))
            writer.writeheader()
            writer.writerows(rows)
