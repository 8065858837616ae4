"""The one writer of the fund ledger (domain §5): every entry goes through one database function.

Balances, number and chain of a fund move with the entry, under the fund's row lock. Callers who read
a balance to decide what to write lock first: `lock` takes all funds of a transaction at once, in the
order of their keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction

from config.kernel.services import bulk, statements
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.engine import entries
from settlement.engine.entries import Lines
from settlement.models import Event


class FundKey(NamedTuple):
    """Whose money it is: fund institution, scheme, tier and purpose."""

    institution_id: int
    scheme_id: int
    tier: str
    purpose: str = "interest"


@dataclass(frozen=True)
class Posting:
    """What every entry of one event shares; `source_id` is the key of the record behind it."""

    event: Event
    posted_on: date
    source: str
    source_id: int
    actor: str


class InsufficientFunds(DomainError):
    """More is taken back from a fund that holds than it has.

    `available_fen` is what it has, `source_id` the record that asked for more.
    """

    def __init__(self, *, asked_fen: int, available_fen: int, source_id: int) -> None:
        self.available_fen, self.source_id = available_fen, source_id
        super().__init__(
            "insufficient_funds",
            bilingual(
                f"该资金不由银行垫付，可用余额 {yuan_from_fen(available_fen)} 元，不足以退回"
                f" {yuan_from_fen(asked_fen)} 元",
                f"the bank advances nothing for this fund: {yuan_from_fen(available_fen)} yuan are"
                f" available, {yuan_from_fen(asked_fen)} cannot be given back",
            ),
        )


@dataclass
class Held:
    """A locked fund, with its balances as the entries posted through it leave them (fen)."""

    id: int
    key: FundKey
    special_account_fen: int
    bank_advance_fen: int
    reserved_fen: int
    closed_through: int

    @property
    def available_fen(self) -> int:
        """What may be paid out."""
        return self.special_account_fen - self.reserved_fen

    def open_year(self, year: int) -> int:
        """The year in which something of `year` is settled: a settled one stays as it is (D20)."""
        return max(year, self.closed_through + 1)


_HELD = (
    "id, institution_id, scheme_id, tier, purpose, special_account_fen, bank_advance_fen,"
    " reserved_fen, closed_through"
)


def open_funds(*, keys: Iterable[FundKey]) -> dict[FundKey, int]:
    """The ids of these funds; those not there yet are opened with zero balances."""
    return {
        key: bulk.rows("SELECT settlement_open_fund(%s, %s::smallint, %s, %s)", key)[0][0]
        for key in sorted(set(keys))
    }


def lock(*, fund_ids: Collection[int]) -> dict[int, Held]:
    """Lock these funds until commit, in the order of their ids."""
    return _held(bulk.rows(f"SELECT {_HELD} FROM settlement_lock_funds(%s)", [sorted(fund_ids)]))


def lock_paying(
    *,
    place_id: int,
    scope: tuple[int, int],
    level: str,
    scheme_id: int,
    tier: str,
    purpose: str,
) -> Held | None:
    """The fund that pays for an institution, opened if need be and locked until commit.

    None if it is that of an institution outside the scope.
    """
    lo, hi = scope
    found = statements.prepared(
        f"SELECT {_HELD} FROM settlement_paying_fund(%s::bigint, %s::bigint, %s::bigint, %s,"
        " %s::smallint, %s, %s)",
        [place_id, lo, hi, level, scheme_id, tier, purpose],
    )
    return next(iter(_held(found).values()), None)


def as_they_are(*, keys: Collection[FundKey]) -> dict[FundKey, Held]:
    """These funds as they are, nothing locked; those not opened yet are empty, with ids below zero."""
    places = {key.institution_id for key in keys}
    query = f"SELECT {_HELD} FROM settlement_fund WHERE institution_id = ANY(%s)"
    opened = {fund.key: fund for fund in _held(bulk.rows(query, [list(places)])).values()}
    return {
        key: opened.get(key) or Held(-number, key, 0, 0, 0, 0)
        for number, key in enumerate(sorted(set(keys)), start=1)
    }


def seen(*, fund_ids: Collection[int]) -> dict[int, Held]:
    """These funds as they are, for showing what a step would do; nothing is locked."""
    query = f"SELECT {_HELD} FROM settlement_fund WHERE id = ANY(%s)"
    return _held(bulk.rows(query, [sorted(fund_ids)]))


def _held(found: Iterable[Any]) -> dict[int, Held]:
    return {
        fund_id: Held(fund_id, FundKey(institution, scheme, tier, purpose), *state)
        for fund_id, institution, scheme, tier, purpose, *state in found
    }


def reserve(*, fund_id: int, amount_fen: int) -> bool:
    """Set an amount aside; False, with nothing done, if less than that is available."""
    assert amount_fen >= 0, amount_fen
    return bool(bulk.rows("SELECT settlement_reserve(%s, %s)", [fund_id, amount_fen])[0][0])


def release(*, fund: Held, amount_fen: int) -> None:
    """Give back what was set aside."""
    assert 0 <= amount_fen <= fund.reserved_fen, (fund, amount_fen)
    bulk.rows("SELECT settlement_reserve(%s, %s)", [fund.id, -amount_fen])
    fund.reserved_fen -= amount_fen


def post(
    *, fund: Held, posting: Posting, lines: Lines, year: int, month: date | None = None
) -> int | None:
    """Write one entry into a locked fund; returns its id, or None where there is nothing to write.

    `year` is the year it is settled with, `month` the month of collection of deductions.
    """
    if not lines:
        return None
    ((entry_id,),) = statements.prepared(
        "SELECT settlement_post_entry(%s, %s, %s::date, %s::date, %s::smallint, %s, %s, %s, %s::text[],"
        " %s::bigint[], %s::bigint[])",
        [
            fund.id,
            posting.event,
            posting.posted_on,
            month,
            year,
            posting.source,
            posting.source_id,
            posting.actor,
            statements.array(line.account for line in lines),
            statements.array(line.debit_fen for line in lines),
            statements.array(line.credit_fen for line in lines),
        ],
    )
    for line in lines:
        if line.account == "special_account":
            fund.special_account_fen += line.debit_fen - line.credit_fen
        elif line.account == "bank_advance":
            fund.bank_advance_fen += line.debit_fen - line.credit_fen
    return int(entry_id)


def close_year(*, fund_id: int, year: int) -> None:
    """From now on whatever comes for this year or an earlier one is settled with the next."""
    bulk.rows("SELECT settlement_close_year(%s, %s::smallint)", [fund_id, year])


def repay_advance(*, fund: Held, posting: Posting, year: int) -> int | None:
    """Repay the bank's own advance out of what is available (D19)."""
    lines = entries.advance_repaid(
        owed_fen=-fund.bank_advance_fen, available_fen=fund.available_fen
    )
    return post(fund=fund, posting=posting, lines=lines, year=year)


@transaction.atomic
def receive(
    *, key: FundKey, amount_fen: int, posting: Posting, year: int, holds: bool = False
) -> None:
    """Book money that finance paid ahead (negative: took back), then repay the bank's advance.

    `holds`: the scheme holds (D19), so the bank advances nothing, neither to borrowers nor to finance:
    InsufficientFunds where more is taken back than is available.
    """
    fund_id = open_funds(keys=[key])[key]
    fund = lock(fund_ids=[fund_id])[fund_id]
    if holds and amount_fen < 0 and -amount_fen > fund.available_fen:
        raise InsufficientFunds(
            asked_fen=-amount_fen, available_fen=fund.available_fen, source_id=posting.source_id
        )
    receive_into(fund=fund, amount_fen=amount_fen, posting=posting, year=year)


def receive_into(*, fund: Held, amount_fen: int, posting: Posting, year: int) -> None:
    """The same for a fund that is locked already and bears it."""
    lines = entries.pre_allocation(amount_fen, available_fen=fund.available_fen)
    post(fund=fund, posting=posting, lines=lines, year=fund.open_year(year))
    repaid = replace(posting, event=Event.ADVANCE_REPAID)
    repay_advance(fund=fund, posting=repaid, year=fund.open_year(year))
