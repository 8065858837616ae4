"""Settling in parts or once: the same life of a fund, lived both ways, comes to the same."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from loans.values.errors import DomainError
from settlement.models import Deduction, Fund, Settlement, SettlementItem
from settlement.services import funds, settlements
from settlement.services.funds import FundKey
from settlement.services.settlements import Ask
from tests.integration.book import run
from tests.integration.test_money_machine import FLOWS, NOTES, Money
from tests.integration.test_settlements import (
    AT,
    FINAL,
    everything,
    money,  # noqa: F401
    said,
)
from tests.integration.test_settlements import Money as Books

BALANCES = (
    "special_account_fen", "treasury_advance_fen", "subsidy_applied_fen", "bank_advance_fen",
    "clawback_receivable_fen", "disallowed_fen",
)  # fmt: skip
SCHEMES = ("test", "kept")
SETTLED = (*sorted(FLOWS), "approved_fen", "disallowed_fen")


def step(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


scheme, number = st.sampled_from(SCHEMES), st.sampled_from(sorted(NOTES))
STEPS = st.lists(
    st.one_of(
        step("collect", number=number, month=st.integers(2, 10)),
        step("run_all"),
        step("receive", scheme=scheme, yuan=st.integers(-900, 2_500)),
        step("repay", number=number, month=st.integers(1, 9)),
        step("claw_back", yuan=st.integers(1, 1_200), accept=st.booleans(), is_offset=st.booleans()),
        step("settle_a_debt", kind=st.sampled_from(["received", "written_off"]), share=st.integers(1, 4)),
        st.tuples(st.just("part"), st.fixed_dictionaries({"scheme": scheme})),
    ),
    min_size=4,
    max_size=14,
)  # fmt: skip


@contextmanager
def life() -> Iterator[Money]:
    machine = Money()
    machine.end = lambda: None  # type: ignore[method-assign]
    try:
        yield machine
    finally:
        machine.teardown()


def lived(steps: list[tuple[str, dict[str, Any]]], *, in_parts: bool) -> dict[str, Any]:
    """What the settlements of the year come to, and what is left, by scheme."""
    with life() as machine:
        machine.begin(yuan=1_300, planned=0, past="posted")
        for name, arguments in steps:
            if name != "part":
                getattr(machine, name)(**arguments)
            elif in_parts:
                machine.settle(**arguments, is_final=False, half=False)
        run()
        for code in SCHEMES:
            machine.settle(scheme=code, is_final=True, half=False)
        machine.the_ledger_adds_up()
        return {code: _outcome(code) for code in SCHEMES}


def _outcome(code: str) -> dict[str, Any]:
    items = SettlementItem.objects.filter(settlement__scheme__code=code, settlement__state="booked")
    assert set(items.values_list("settlement__year", flat=True)) <= {2026}
    found = items.aggregate(**{name: Sum(name) for name in SETTLED})
    fund = Fund.objects.get(scheme__code=code)
    paid = Deduction.objects.filter(scheme__code=code).aggregate(fen=Sum("municipal_fen"))
    return {
        **{name: found[name] or 0 for name in SETTLED},
        **{f"left_{name}": getattr(fund, name) for name in BALANCES},
        "closed_through": fund.closed_through,
        "deducted_fen": paid["fen"],
    }


@pytest.mark.django_db
@settings(max_examples=15)
@given(STEPS)
def test_parts_come_to_the_year(steps: list[tuple[str, dict[str, Any]]]) -> None:
    assert lived(steps, in_parts=True) == lived(steps, in_parts=False)


@pytest.mark.django_db
def test_a_tier_that_gets_its_first_money_late_has_the_same_years_closed(money: Books) -> None:
    money.pay(1_000)
    money.settle()
    key = FundKey(money.bank.pk, money.scheme.pk, "provincial")
    funds.open_funds(keys=[key])
    closed = Fund.objects.order_by("tier").values_list("tier", "closed_through")
    assert list(closed) == [("central", 2026), ("provincial", 2026)]


@pytest.mark.django_db
def test_a_stated_need_stays_until_another_is_stated(money: Books) -> None:
    here = (money.bank.id, "central")
    stated = Ask(2026, is_final=True, needs_stated=True)
    money.pay(1_000)
    first = money.draft(stated, needs={here: 77})
    assert money.draft(FINAL, needs={here: 5}) == first
    money.pay(500)
    second = money.draft(FINAL, needs={here: 5})
    third = money.draft(stated, needs={here: 0})
    found = SettlementItem.objects.order_by("pk").values_list(
        "settlement_id", "settlement__state", "settlement__needs_stated", "used_fen", "next_year_need_fen"
    )  # fmt: skip
    assert list(found) == [
        (first, "withdrawn", True, 1_000, 77), (second, "withdrawn", True, 1_500, 77),
        (third, "draft", True, 1_500, 0),
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_part_that_would_hold_nothing_is_not_drafted(money: Books) -> None:
    money.pay(1_000, month=3)
    before = everything()
    assert money.draft(Ask(2026, posted_through=date(2026, 3, 20))) is None
    assert everything() == before
    assert money.settle(Ask(2026, posted_through=date(2026, 3, 21))).claimed_fen == 1_000
    money.pay(50, month=5)
    before = everything()
    assert money.draft(Ask(2026, posted_through=date(2026, 4, 30))) is None
    assert everything() == before


@pytest.mark.django_db
def test_a_year_withdrawn_after_closing_stays_closed(money: Books) -> None:
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    settlements.take_back(settlement_id=made, why="重做", actor="checker", at=AT)
    money.pay(50)
    before = everything()
    with pytest.raises(DomainError, match="2026 年度尚未结清"):
        money.draft(Ask(2027))
    assert everything() == before
    item = money.settle(Ask(2026))
    assert (item.claimed_fen, item.settlement.is_final, item.settlement.part) == (1_000, True, 1)
    assert money.settle(Ask(2027)).claimed_fen == 50


@pytest.mark.django_db
def test_what_settled_years_have_left_is_returned_though_nothing_is_to_be_claimed(
    money: Books,
) -> None:
    money.receive(5_000)
    money.pay(1_000)
    money.settle()
    assert money.balances() == (4_000, -4_000, 0, 0, 0, 0)
    item = money.settle(Ask(None))
    assert said(item) == {"opening": 4_000, "surplus": 4_000}
    assert money.balances() == (0, 0, 0, 0, 0, 0)
    assert money.draft(Ask(None)) is None
    assert Settlement.objects.count() == 2


@pytest.mark.django_db
def test_a_gap_that_settled_years_leave_is_said_once_at_the_end(money: Books) -> None:
    money.pay(1_000)
    money.settle()
    assert said(money.settle(Ask(None))) == {"opening": -1_000, "gap": 1_000}
    assert money.balances() == (0, 1_000, 0, -1_000, 0, 0)
    assert money.draft(Ask(None)) is None
