"""How fast a fund's money goes, and until when it lasts at that rate.

The rate is that of the last three full months: they hold three interest days of those who pay by the
month and one of those who pay by the quarter. It takes nothing for granted that is not in the ledger;
what each interest day to come will need is `engine.forecast`'s to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from loans.values.rounding import half_up

WINDOW_MONTHS = 3
HORIZON_DAYS = 3_650


@dataclass(frozen=True)
class Burn:
    """What was paid out in whole months, `since` … before `until`, both first days of a month."""

    since: date
    until: date
    paid_fen: int

    @property
    def monthly_fen(self) -> int:
        """What an average month takes, half-up to the fen."""
        return half_up(self.paid_fen, _number(self.until) - _number(self.since))

    def short_on(self, balance_fen: int, *, today: date) -> date | None:
        """The first day whose use the balance of `today` no longer covers.

        None: nothing is used, or the balance lasts beyond the horizon.
        """
        if self.paid_fen <= 0:
            return None
        days = max(balance_fen, 0) * (self.until - self.since).days // self.paid_fen
        return today + timedelta(days=days) if days < HORIZON_DAYS else None


def window(today: date) -> tuple[date, date]:
    """The last full months before `today`'s: first day of the first, first day of today's month."""
    until = today.replace(day=1)
    return _first_day(_number(until) - WINDOW_MONTHS), until


def burn(*, first: date | None, paid_fen: int, today: date) -> Burn | None:
    """The use of the window, of which `paid_fen` was paid out.

    `first`: the first month ever with a use; where it lies in the window only months from it on count.
    None: no full month with a use is over yet.
    """
    since, until = window(today)
    if first is None or first >= until:
        return None
    return Burn(max(since, first), until, paid_fen)


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def _first_day(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
