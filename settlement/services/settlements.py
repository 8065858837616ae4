"""Annual settlements and liquidations, from draft to submission (SME-16…18, EQ-09…10, domain §6).

Funds are always locked before the settlement, so two at once wait for each other and the later one
is told what the earlier did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from django.db import transaction

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.engine import settling
from settlement.engine.settling import Covered, Entry, Figures
from settlement.models import Purpose, Settlement, SettlementItem
from settlement.selectors import settlements
from settlement.services import funds
from settlement.services.funds import Held

Needs = Mapping[tuple[int, str], int]
State = Settlement.State
SUPERSEDED = "重新起草 / drafted anew"


@dataclass(frozen=True)
class Ask:
    """What is to be settled: a year, or everything left (no year: a liquidation).

    `is_final` closes the year once submitted; `posted_through` leaves out what was posted later;
    `needs_stated`: next year's needs are what a person applies for, not a forecast.
    """

    year: int | None
    is_final: bool = False
    posted_through: date | None = None
    needs_stated: bool = False


@dataclass(frozen=True)
class _Ledger:
    """One locked fund with its entries and what is settled of them."""

    fund: Held
    entries: list[Entry]
    covered: Covered

    def left(self, year: int | None, through: int | None = None) -> bool:
        """Is anything of the year (up to that entry number) still to be settled?"""
        rest = settling.uncovered(self.entries, self.covered, year=year)
        return settling.is_anything_to_settle(
            one for one in rest if through is None or one.number <= through
        )

    def is_open(self, year: int) -> bool:
        """Is that year of the fund not closed, or left open by a withdrawn last part?"""
        return self.fund.closed_through < year or self.left(year)

    @property
    def last(self) -> int:
        """The number of the last entry."""
        return self.entries[-1].number if self.entries else 0


@transaction.atomic
def draft(
    *, institution_id: int, scheme_id: int, ask: Ask, needs: Needs, actor: str, at: datetime
) -> int | None:
    """Draft a settlement of an institution's funds of a scheme; returns its id, None if nothing is due.

    A draft of the same year that nobody has submitted is left as it is if it still says the same, and
    withdrawn for a new one otherwise, which keeps the needs a person stated in it unless others are
    stated now. `needs`: see `needs_of_year`. Raises DomainError `settlement_open`,
    `settlement_liquidated` or `settlement_earlier_year`.
    """
    ledgers = _ledgers(institution_id=institution_id, scheme_id=scheme_id)
    under_way = settlements.open_settlement(institution_id=institution_id, scheme_id=scheme_id)
    _refuse_under_way(under_way, ask)
    _refuse_out_of_turn(ledgers, ask)
    through = _through(ledgers, ask)
    if not _is_due(ledgers, ask, through):
        return None
    closed = any(
        one.fund.closed_through >= (ask.year or 0) and one.left(ask.year) for one in ledgers
    )
    is_final = ask.year is not None and (ask.is_final or closed)
    if under_way is not None and under_way.needs_stated and not ask.needs_stated:
        ask, needs = replace(ask, needs_stated=True), _stated(under_way)
    items = _items(ledgers, ask, through, needs)
    if under_way is not None:
        same = (under_way.is_final, under_way.needs_stated) == (is_final, ask.needs_stated)
        if same and _said(under_way) == items:
            return int(under_way.pk)
        _withdraw(under_way, why=SUPERSEDED, actor=actor, at=at)
    made = Settlement.objects.create(
        institution_id=institution_id,
        scheme_id=scheme_id,
        kind=Settlement.Kind.LIQUIDATION if ask.year is None else Settlement.Kind.ANNUAL,
        year=ask.year,
        part=1 + _parts(institution_id, scheme_id, ask.year),
        is_final=is_final,
        needs_stated=ask.needs_stated,
        state=State.DRAFT,
        made_by=actor,
        made_at=at,
    )
    SettlementItem.objects.bulk_create(
        SettlementItem(institution_id=institution_id, settlement=made, fund_id=fund, **figures)
        for fund, figures in items.items()
    )
    return int(made.pk)


@transaction.atomic
def submit(*, settlement_id: int, actor: str, at: datetime) -> None:
    """Send a checked draft to finance; a year's last part closes the year for all later postings.

    Raises DomainError `settlement_unknown`, `settlement_state`, `settlement_same_person`, or
    `settlement_stale` if a last part or a liquidation would leave out what was posted since.
    """
    settlement = locked(settlement_id=settlement_id)
    require_state(settlement, State.DRAFT)
    if settlement.made_by == actor:
        raise DomainError(
            "settlement_same_person",
            bilingual(
                "本人经办的结算须由他人复核后提交",
                "another person checks and submits what you drafted",
            ),
        )
    if settlement.is_final or settlement.year is None:
        _refuse_stale(settlement)
    if settlement.is_final and settlement.year is not None:
        for fund_id in settlement.items.order_by("fund_id").values_list("fund_id", flat=True):
            funds.close_year(fund_id=fund_id, year=settlement.year)
    settlement.state = State.SUBMITTED
    settlement.checked_by, settlement.checked_at = actor, at
    settlement.save(update_fields=["state", "checked_by", "checked_at"])


@transaction.atomic
def withdraw(*, settlement_id: int, why: str, actor: str, at: datetime) -> None:
    """Let whoever drafted it give up a draft, for a reason; its entries are drafted anew.

    Raises DomainError `settlement_state`, `settlement_not_own` or `reason_missing`.
    """
    settlement = locked(settlement_id=settlement_id)
    require_state(settlement, State.DRAFT)
    if settlement.made_by != actor:
        raise DomainError(
            "settlement_not_own",
            bilingual(
                f"结算 {settlement} 由 {settlement.made_by} 起草，由其本人撤回，或由复核人退回",
                "only whoever drafted it withdraws a draft; a checker refuses it",
            ),
        )
    _withdraw(settlement, why=reasons.required(why), actor=actor, at=at)


@transaction.atomic
def take_back(*, settlement_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse a draft, or take back what was submitted and is not decided.

    A year closed by it stays closed: what came since is settled with the next. Raises DomainError
    `settlement_state`, `settlement_same_person` or `reason_missing`.
    """
    settlement = locked(settlement_id=settlement_id)
    require_state(settlement, State.DRAFT, State.SUBMITTED)
    if settlement.made_by == actor:
        raise DomainError(
            "settlement_same_person",
            bilingual(
                "本人经办的结算须由他人退回或撤回",
                "another person refuses or takes back what you drafted",
            ),
        )
    _withdraw(settlement, why=reasons.required(why), actor=actor, at=at)


def locked(*, settlement_id: int) -> Settlement:
    """The settlement with its funds, locked until commit; DomainError `settlement_unknown`."""
    found = Settlement.objects.filter(pk=settlement_id).first()
    if found is None:
        raise DomainError(
            "settlement_unknown",
            bilingual(f"没有结算 #{settlement_id}", "no such settlement in your scope"),
        )
    funds.lock(
        fund_ids=settlements.fund_ids(
            institution_id=found.institution_id, scheme_id=found.scheme_id
        )
    )
    return Settlement.objects.select_for_update().get(pk=settlement_id)


def require_state(settlement: Settlement, *states: str) -> None:
    """Raise DomainError `settlement_state` unless the settlement is in one of these states."""
    if settlement.state not in states:
        wanted = "、".join(str(State(state).label) for state in states)
        raise DomainError(
            "settlement_state",
            bilingual(
                f"结算 {settlement} 现为“{settlement.get_state_display()}”，此操作只用于：{wanted}",
                f"this is for {' or '.join(states)}; it is {settlement.state}",
            ),
        )


def _ledgers(*, institution_id: int, scheme_id: int) -> list[_Ledger]:
    ids = settlements.fund_ids(institution_id=institution_id, scheme_id=scheme_id)
    held = funds.lock(fund_ids=ids)
    entries, covered = settlements.entries(ids=ids), settlements.covered(ids=ids)
    return [_Ledger(held[fund], entries[fund], covered[fund]) for fund in ids]


def _refuse_under_way(under_way: Settlement | None, ask: Ask) -> None:
    if under_way is None or (under_way.state == State.DRAFT and under_way.year == ask.year):
        return
    raise DomainError(
        "settlement_open",
        bilingual(
            f"尚有未办结的结算 {under_way}（{_named_zh(under_way)}，{under_way.get_state_display()}）："
            f"请先{_FIRST[State(under_way.state)][0]}",
            f"settlement {under_way} there is {under_way.state}: {_FIRST[State(under_way.state)][1]} first",
        ),
    )


def _named_zh(settlement: Settlement) -> str:
    return "清算" if settlement.year is None else f"{settlement.year} 年度结算"


_FIRST = {
    State.DRAFT: ("提交或撤回", "submit or withdraw it"),
    State.SUBMITTED: ("录入批复并入账，或撤回", "record the decision and book it, or withdraw it"),
    State.DECIDED: ("复核批复并入账", "book its decision"),
}


def _refuse_out_of_turn(ledgers: list[_Ledger], ask: Ask) -> None:
    if ask.year is None:
        return
    if any(one.covered.liquidated for one in ledgers):
        raise DomainError(
            "settlement_liquidated",
            bilingual(
                "该机构这项政策已清算，不再做年度结算；其后有入账的，类别选“清算”补做",
                "already liquidated: liquidate again instead",
            ),
        )
    earlier = [
        year
        for one in ledgers
        for year in sorted({entry.year for entry in one.entries if entry.year < ask.year})
        if one.is_open(year)
    ]
    if earlier:
        raise DomainError(
            "settlement_earlier_year",
            bilingual(
                f"{min(earlier)} 年度尚未结清：年度须依次结算，请先做该年度的末次结算并提交",
                f"settle {min(earlier)} with its last part first: years are settled in order",
            ),
        )


def _is_due(ledgers: list[_Ledger], ask: Ask, through: Mapping[int, int]) -> bool:
    """Does it hold anything? A last part may hold nothing: it closes the year."""
    if any(one.left(ask.year, through[one.fund.id]) for one in ledgers):
        return True
    if ask.year is None:  # the surplus of settled years waits to be returned
        return any(one.entries and not one.covered.liquidated for one in ledgers)
    return ask.is_final and any(
        entry.year == ask.year
        for one in ledgers
        for entry in one.entries
        if one.fund.closed_through < entry.year
    )


def _through(ledgers: list[_Ledger], ask: Ask) -> dict[int, int]:
    """Up to which entry number of each fund."""
    through = {one.fund.id: one.last for one in ledgers}
    if ask.posted_through is not None:
        through |= settlements.last_number_posted(ids=list(through), through=ask.posted_through)
    return through


def _items(
    ledgers: list[_Ledger], ask: Ask, through: Mapping[int, int], needs: Needs
) -> dict[int, dict[str, int]]:
    return {
        one.fund.id: asdict(_figures(one, ask, through[one.fund.id]))
        | {"next_year_need_fen": _need(one.fund, needs)}
        for one in ledgers
    }


def _figures(ledger: _Ledger, ask: Ask, through: int) -> Figures:
    return settling.figures(ledger.entries, ledger.covered, year=ask.year, through=through)


def _need(fund: Held, needs: Needs) -> int:
    if fund.key.purpose != Purpose.INTEREST:
        return 0
    return needs.get((fund.key.institution_id, fund.key.tier), 0)


def _stated(settlement: Settlement) -> Needs:
    found = settlement.items.filter(fund__purpose=Purpose.INTEREST)
    columns = ("institution_id", "fund__tier", "next_year_need_fen")
    return {(place, tier): fen for place, tier, fen in found.values_list(*columns)}


def _said(settlement: Settlement) -> dict[int, dict[str, int]]:
    names = [*Figures.__dataclass_fields__, "next_year_need_fen"]
    found = settlement.items.values("fund_id", *names)
    return {row["fund_id"]: {name: row[name] for name in names} for row in found}


def _parts(institution_id: int, scheme_id: int, year: int | None) -> int:
    same = Settlement.objects.filter(institution_id=institution_id, scheme_id=scheme_id, year=year)
    return same.exclude(state=State.WITHDRAWN).count()


def _withdraw(settlement: Settlement, *, why: str, actor: str, at: datetime) -> None:
    settlement.state, settlement.withdrawn_why = State.WITHDRAWN, why
    settlement.withdrawn_by, settlement.withdrawn_at = actor, at
    settlement.save(update_fields=["state", "withdrawn_why", "withdrawn_by", "withdrawn_at"])


def _refuse_stale(settlement: Settlement) -> None:
    through = dict(settlement.items.values_list("fund_id", "through_number"))
    for one in _ledgers(institution_id=settlement.institution_id, scheme_id=settlement.scheme_id):
        here = one.covered.and_(year=settlement.year, through=through.get(one.fund.id, 0))
        if _Ledger(one.fund, one.entries, here).left(settlement.year):
            raise DomainError(
                "settlement_stale",
                bilingual(
                    "起草后又有入账，末次结算和清算须全部包括：请按同一年度和类别重新起草，再复核新草稿",
                    "posted to since it was drafted: draft it anew, then submit the new one",
                ),
            )
