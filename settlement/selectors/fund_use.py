"""How money is used: by fund in sight, month by month of a year, and by month of notes in sight; fen.

From the ledger, whose entries are few (chunk × fund × month), and from the sums the database keeps of
deductions, which are many. A movement counts in its month of collection; finance's money in the month
it arrived, anything else in the month it was posted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from config.kernel.services.bulk import rows
from settlement.engine.runway import Burn, burn, window

_DAY = "coalesce(e.month, p.received_on, e.posted_on)"
_MOVES = """
    FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id
    LEFT JOIN loans_preallocation p ON e.event = 'pre_allocation' AND p.id = e.source_id
"""
_RECEIVED = """coalesce(sum(l.credit_fen - l.debit_fen) FILTER (
    WHERE e.event = 'pre_allocation' AND l.account = 'treasury_advance'), 0)::bigint"""
_USES = "('deduction', 'negative_difference')"
_CASH = "l.account IN ('special_account', 'bank_advance')"


@dataclass(frozen=True)
class FundUse:
    """One fund: what it has, and what went through it since its first entry.

    `used_fen`: subsidies, taken-over ones too. `returned_fen`: surplus that went back to finance. `paid_fen`: what left the account, or was advanced, for
    subsidies in the last full months; `first_month`: of the first such payment ever. `first_day` and
    `last_day`: of its movements, if there are any.
    """

    fund_id: int
    scheme_id: int
    scheme_code: str
    tier: str
    purpose: str
    institution_name: str
    special_account_fen: int
    reserved_fen: int
    bank_advance_fen: int
    received_fen: int
    used_fen: int
    returned_fen: int
    paid_fen: int
    first_month: date | None
    first_day: date | None
    last_day: date | None

    @property
    def available_fen(self) -> int:
        """In the account and not set aside."""
        return self.special_account_fen - self.reserved_fen


_FUNDS = f"""
    WITH moved AS (
        SELECT e.fund_id, {_RECEIVED} AS received,
            coalesce(sum(l.debit_fen - l.credit_fen) FILTER (
                WHERE l.account = 'subsidy_applied'
                AND e.event IN ('deduction', 'negative_difference', 'taken_over')), 0)::bigint AS used,
            coalesce(sum(l.debit_fen - l.credit_fen) FILTER (
                WHERE l.account = 'treasury_advance' AND e.event = 'surplus_returned'), 0)::bigint
                AS returned,
            coalesce(sum(l.credit_fen - l.debit_fen) FILTER (
                WHERE e.event = 'deduction' AND {_CASH}
                AND e.month >= %(since)s AND e.month < %(until)s), 0)::bigint AS paid,
            min(e.month) FILTER (WHERE e.event = 'deduction' AND {_CASH}) AS first_month,
            min({_DAY}) AS first_day, max({_DAY}) AS last_day
        {_MOVES} GROUP BY e.fund_id
    )
    SELECT f.id, s.id, s.code, f.tier, f.purpose, i.name, f.special_account_fen, f.reserved_fen,
        -f.bank_advance_fen, coalesce(m.received, 0), coalesce(m.used, 0), coalesce(m.returned, 0),
        coalesce(m.paid, 0),
        m.first_month, m.first_day, m.last_day
    FROM settlement_fund f JOIN settlement_scheme s ON s.id = f.scheme_id
    JOIN kernel_institution i ON i.id = f.institution_id LEFT JOIN moved m ON m.fund_id = f.id
    ORDER BY s.code, f.purpose DESC,
        array_position(ARRAY['central', 'provincial', 'municipal'], f.tier::text), f.institution_id
"""


def fund_uses(*, today: date) -> list[FundUse]:
    """The funds in sight, by scheme, purpose, tier and institution."""
    since, until = window(today)
    return [FundUse(*row) for row in rows(_FUNDS, {"since": since, "until": until})]


@dataclass(frozen=True)
class TierUse:
    """The funds of one scheme, purpose and tier together.

    `burn`: their rate of use, if a full month of it is over. `shortest`: the fund whose money ends
    first at its own rate, and on `short_on`; what is set aside for plans is money for the same uses.
    """

    funds: tuple[FundUse, ...]
    burn: Burn | None
    short_on: date | None
    shortest: FundUse | None

    def sum(self, name: str) -> int:
        """A column of the funds, added up."""
        return sum(getattr(fund, name) for fund in self.funds)


def by_tier(funds: Iterable[FundUse], *, today: date) -> list[TierUse]:
    """Funds in the order of `fund_uses`, put together by scheme, purpose and tier."""
    groups = groupby(funds, key=lambda fund: (fund.scheme_code, fund.purpose, fund.tier))
    return [_together(tuple(own), today) for _key, own in groups]


def _together(funds: tuple[FundUse, ...], today: date) -> TierUse:
    firsts = [fund.first_month for fund in funds if fund.first_month is not None]
    paid_fen = sum(fund.paid_fen for fund in funds)
    ends = [
        (rate.short_on(fund.special_account_fen, today=today) or date.max, place, fund)
        for place, fund in enumerate(funds)
        if (rate := burn(first=fund.first_month, paid_fen=fund.paid_fen, today=today)) is not None
    ]
    day, _place, fund = min(ends, default=(date.max, 0, funds[0]))
    is_short = day != date.max
    return TierUse(
        funds=funds,
        burn=burn(first=min(firsts, default=None), paid_fen=paid_fen, today=today),
        short_on=day if is_short else None,
        shortest=fund if is_short else None,
    )


@dataclass(frozen=True)
class MonthUse:
    """What moved in a month in all funds together; all months before the year are one, its eve.

    `used_fen`: subsidies less what recomputation took back. `moved_fen`: by how much the special
    accounts, less the bank's own advance, grew.
    """

    month: date
    received_fen: int
    used_fen: int
    moved_fen: int


def month_uses(*, year: int) -> list[MonthUse]:
    """Months of the year with a movement in the funds in sight; before them the eve."""
    first = date(year, 1, 1)
    found = rows(
        f"""
        SELECT greatest(date_trunc('month', {_DAY})::date, %(eve)s::date) AS month, {_RECEIVED},
            coalesce(sum(l.debit_fen - l.credit_fen) FILTER (
                WHERE l.account = 'subsidy_applied' AND e.event IN {_USES}), 0)::bigint,
            coalesce(sum(l.debit_fen - l.credit_fen) FILTER (WHERE {_CASH}), 0)::bigint
        {_MOVES} WHERE {_DAY} < %(end)s GROUP BY 1 ORDER BY 1
        """,
        {"eve": first.replace(year=year - 1, month=12), "end": first.replace(year=year + 1)},
    )
    return [MonthUse(*row) for row in found]


@dataclass(frozen=True)
class NoteMonth:
    """What the notes in sight were granted of the interest collected in a month, under a scheme."""

    scheme_code: str
    month: date
    granted_fen: int


def note_months() -> list[NoteMonth]:
    """Every month with deductions of notes in sight, by scheme and month, whoever's fund paid them."""
    found = rows(
        "SELECT s.code, m.month, sum(m.central_fen + m.provincial_fen + m.municipal_fen)::bigint"
        " FROM settlement_monthlysubsidy m JOIN settlement_scheme s ON s.id = m.scheme_id"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [NoteMonth(*row) for row in found]
