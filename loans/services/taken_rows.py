"""Which stored row each row of an intake became, told in the transaction that took it in."""

from __future__ import annotations

from typing import NamedTuple

from config.kernel.services import bulk
from loans.services.targets import TARGETS


class Taken(NamedTuple):
    """One row of what came in, by its number there: the key it is stored under, and whether it was before."""

    row: int
    key: int
    was_known: bool


def taken_rows(*, kind: str) -> list[Taken]:
    """The rows of the latest intake of this transaction, in their order; it was one of this kind."""
    target = TARGETS[kind]
    match = target.match or " AND ".join(f"t.{name} = r.{name}" for name in target.key)
    found = bulk.rows(
        f"SELECT r.row, t.id, NOT r.fresh FROM resolved r JOIN {target.table} t ON {match} ORDER BY r.row"
    )
    return [Taken(*row) for row in found]
