"""The money of a plan: what its check would set aside of each fund, in the order of service (D9, D19)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loans.values.errors import DomainError, bilingual
from settlement.engine import TIERS
from settlement.models import Fund, PlannedDeduction
from settlement.selectors import plans
from settlement.services import debts, funds
from settlement.services.funds import Held
from settlement.services.schemes import holding_schemes, terms_in_force

BATCH = 5_000
WALKED = (
    "plan_id",
    "note_id",
    "scheme_id",
    "fund_institution_id",
    *(f"{tier}_fen" for tier in TIERS),
)

Key = tuple[int, int, str]
Given = dict[str, tuple[int, int, int]]  # tier → fund, fen offset, fen set aside


@dataclass(frozen=True)
class Reserving:
    """One fund before and after a plan's check; fen. `lacking_fen`: the bank's advance, if it pays."""

    fund_id: int
    planned_fen: int
    offset_fen: int
    available_fen: int
    reserved_fen: int
    set_aside_fen: int
    lacking_fen: int


def funds_of(rows: Collection[Any]) -> dict[Key, int]:
    """The funds these deductions ask, by institution, scheme and tier; refuses those out of sight."""
    keys = {
        (row.fund_institution_id, row.scheme_id, tier)
        for row in rows
        for tier in TIERS
        if getattr(row, f"{tier}_fen")
    }
    places = {key[0] for key in keys}
    known = {
        (fund.institution_id, fund.scheme_id, fund.tier): int(fund.pk)
        for fund in Fund.objects.filter(institution_id__in=places, purpose="interest")
    }
    if keys - known.keys():
        raise DomainError(
            "funds_out_of_scope",
            bilingual(
                "本计划使用上级机构的资金，请由其人员复核",
                "it reserves money of an institution above yours: have it checked there",
            ),
        )
    return {key: known[key] for key in keys}


def reserve(rows: list[PlannedDeduction], by_key: dict[Key, int], held: dict[int, Held]) -> None:
    """Set aside what each deduction gets, or hold it; the funds are locked."""
    left = {fund_id: fund.available_fen for fund_id, fund in held.items()}
    for row, given in _given(rows, by_key, left):
        row.state = (
            PlannedDeduction.State.HELD if given is None else PlannedDeduction.State.RESERVED
        )
        for tier, (_fund, offset, part) in (given or {}).items():
            setattr(row, f"{tier}_offset_fen", offset)
            setattr(row, f"{tier}_reserved_fen", part)
    amounts = [f"{tier}_{what}_fen" for tier in TIERS for what in ("offset", "reserved")]
    PlannedDeduction.objects.bulk_update(rows, ["state", *amounts], batch_size=BATCH)
    for fund_id, rest in left.items():
        asked = held[fund_id].available_fen - rest
        assert funds.reserve(fund_id=fund_id, amount_fen=asked), (fund_id, asked)


def _given(
    rows: Sequence[Any], by_key: dict[Key, int], left: dict[int, int]
) -> Iterator[tuple[Any, Given | None]]:
    """What each row gets of what is `left` of the funds, in order; None: it is held whole."""
    book = terms_in_force()
    holding = holding_schemes(book)
    enterprises = plans.enterprises_of(plan_id=rows[0].plan_id) if rows else {}
    owed = _owed(set(enterprises.values()), fund_ids=left.keys())
    for row in rows:
        debtor = enterprises[row.note_id]
        asked = {
            tier: (fund, fen, min(fen, owed[debtor, fund]))
            for tier in TIERS
            if (fen := getattr(row, f"{tier}_fen"))
            for fund in [by_key[row.fund_institution_id, row.scheme_id, tier]]
        }
        lacks = any(left[fund] < fen - offset for fund, fen, offset in asked.values())
        if row.scheme_id in holding and lacks:
            yield row, None
            continue
        given = {}
        for tier, (fund, fen, offset) in asked.items():
            part = min(fen - offset, max(0, left[fund]))
            left[fund] -= part
            owed[debtor, fund] -= offset
            given[tier] = (fund, offset, part)
        yield row, given


def if_checked(*, plan_id: int) -> tuple[list[Reserving], int]:
    """What each fund would set aside if the draft were checked now, and how many rows would be held.

    Nothing is locked or written. Raises DomainError `funds_out_of_scope` as the check would.
    """
    planned = PlannedDeduction.objects.filter(plan_id=plan_id, state="planned")
    collected = plans.already_collected(plan_id=plan_id)
    rows = list(
        planned.exclude(pk__in=collected).order_by("place").values_list(*WALKED, named=True)
    )
    by_key = funds_of(rows)
    seen = funds.seen(fund_ids=by_key.values())
    left = {fund_id: fund.available_fen for fund_id, fund in seen.items()}
    asked: Counter[int] = Counter()
    offsets: Counter[int] = Counter()
    waiting = 0
    for row, given in _given(rows, by_key, left):
        waiting += given is None
        for tier, (fund_id, offset, _part) in (given or {}).items():
            asked[fund_id] += getattr(row, f"{tier}_fen")
            offsets[fund_id] += offset
    found = [
        _reserving(fund, asked[fund_id], offsets[fund_id], left[fund_id])
        for fund_id, fund in sorted(seen.items())
    ]
    return found, waiting


def _reserving(fund: Held, asked_fen: int, offset_fen: int, left_fen: int) -> Reserving:
    set_aside = fund.available_fen - left_fen
    return Reserving(
        fund_id=fund.id,
        planned_fen=asked_fen,
        offset_fen=offset_fen,
        available_fen=fund.available_fen,
        reserved_fen=fund.reserved_fen,
        set_aside_fen=set_aside,
        lacking_fen=asked_fen - offset_fen - set_aside,
    )


def _owed(enterprise_ids: set[int], *, fund_ids: Collection[int]) -> Counter[tuple[int, int]]:
    """What deductions of a plan will be offset by, as results will be (D20), less other plans' part."""
    found = debts.open_debts(enterprise_ids=enterprise_ids, fund_ids=list(fund_ids))
    owed = Counter({key: sum(one.open_fen for one in open_) for key, open_ in found.items()})
    return owed - Counter(plans.promised(enterprise_ids=enterprise_ids))
