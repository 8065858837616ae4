"""Booking what was subsidised before this system took over, so that it is settled with its year.

Target − booked per fund and year, as everywhere (D20): a corrected opening position is a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from settlement.engine import entries
from settlement.models import Event, TakenOver
from settlement.selectors import taken_over
from settlement.selectors.institutions import fund_institutions
from settlement.services import funds
from settlement.services.funds import FundKey, Held, Posting
from settlement.services.schemes import terms_in_force

LOCK = 0x74616B656E  # one booking of opening positions at a time


@dataclass(frozen=True, order=True)
class Change:
    """What a fund's opening positions of a year have changed by since they were last booked; fen."""

    key: FundKey
    year: int
    sequence: int
    amount_fen: int

    @property
    def row(self) -> tuple[int | str, ...]:
        """What tells this booking from every other: fund, year, its number and fen."""
        return *self.key, self.year, self.sequence, self.amount_fen


class Booked(NamedTuple):
    """How many changes were booked, and how many left because nobody had looked at them."""

    changes: int
    unseen: int


NOTHING_BOOKED = Booked(changes=0, unseen=0)


@transaction.atomic
def book_taken_over(
    *,
    actor: str,
    at: datetime,
    scheme: str | None = None,
    scope: tuple[int, int] = SCOPE_ALL,
    seen: Collection[tuple[int | str, ...]] | None = None,
) -> Booked:
    """Book every change. What a fund does not hold, the bank has advanced (D19).

    `seen`: only changes that people looked at (`Change.row`); None: all.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    due = changes(scheme=scheme, scope=scope)
    found = [one for one in due if seen is None or one.row in seen]
    ids = funds.open_funds(keys=[one.key for one in found])
    held = funds.lock(fund_ids=list(ids.values())) if ids else {}
    for one in found:
        _book(one, fund=held[ids[one.key]], actor=actor, at=at)
    return Booked(len(found), len(due) - len(found))


def changes(*, scheme: str | None = None, scope: tuple[int, int] = SCOPE_ALL) -> list[Change]:
    """What is to be booked, in order of fund and year; of one scheme, of funds of some institutions."""
    schemes = terms_in_force().scheme_ids
    chosen = {number for code, number in schemes.items() if scheme in (None, code)}
    wanted = _targets()
    known = {
        (FundKey(place, scheme_id, tier), year): (count, fen)
        for place, scheme_id, tier, year, count, fen in taken_over.booked()
    }
    return [
        Change(*where, count, wanted[where] - fen)
        for where in sorted(wanted.keys() | known.keys())
        for count, fen in [known.get(where, (0, 0))]
        if wanted[where] != fen
        and where[0].scheme_id in chosen
        and scope[0] <= where[0].institution_id <= scope[1]
    ]


def _targets() -> Counter[tuple[FundKey, int]]:
    """What the opening positions add up to, by fund and year; of schemes in force."""
    levels = {terms.code: terms.fund_level for terms in terms_in_force().terms}
    places = {level: fund_institutions(level=level) for level in set(levels.values())}
    found: Counter[tuple[FundKey, int]] = Counter()
    for institution_id, scheme_id, code, tier, year, fen in taken_over.positions():
        if code in levels and fen:
            place = places[levels[code]][institution_id]
            found[FundKey(place, scheme_id, tier), year] += fen
    return found


def _book(one: Change, *, fund: Held, actor: str, at: datetime) -> None:
    row = TakenOver.objects.create(
        institution_id=fund.key.institution_id,
        fund_id=fund.id,
        year=one.year,
        sequence=one.sequence,
        amount_fen=one.amount_fen,
        posted_on=at.date(),
        actor=actor,
    )
    lines = entries.taken_over(
        one.amount_fen, available_fen=fund.available_fen, owed_fen=-fund.bank_advance_fen
    )
    funds.post(
        fund=fund,
        posting=Posting(
            Event.TAKEN_OVER, at.date(), f"期初 opening {one.year} #{one.sequence}", row.pk, actor
        ),
        lines=lines,
        year=fund.open_year(one.year),
    )
