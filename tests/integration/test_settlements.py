"""Annual settlements in parts and the liquidation: exact figures, refusals, and what is booked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from config.kernel.models import Institution
from loans.values.errors import DomainError
from settlement.engine import entries
from settlement.engine.entries import Lines
from settlement.models import Event, Fund, LedgerEntry, Scheme, Settlement, SettlementItem
from settlement.services import funds, settlement_decisions, settlements
from settlement.services.funds import FundKey, Held, Posting
from settlement.services.settlements import Ask
from tests.integration import rows
from tests.integration.rows import BANK, OTHER

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db

AT = datetime(2027, 1, 15, 9, 0, tzinfo=UTC)
ANSWERED = date(2027, 2, 18)
FINAL = Ask(2026, is_final=True)
CENTRAL = ("central", "interest")


class Money:
    """One bank's money of one scheme and tier, moved by hand."""

    def __init__(self) -> None:
        self.bank = rows.institutions()[BANK]
        self.scheme = Scheme.objects.create(code="test", name="试验")
        self.key = FundKey(self.bank.id, self.scheme.pk, "central")
        self.count = 0

    def receive(self, fen: int, year: int = 2026) -> None:
        self.count += 1
        posting = Posting(Event.PRE_ALLOCATION, date(year, 2, 1), "文号", self.count, "maker")
        funds.receive(key=self.key, amount_fen=fen, posting=posting, year=year)

    def move(
        self, event: Event, lines: Callable[[Held], Lines], *, year: int = 2026, month: int = 3
    ) -> None:
        self.count += 1
        with transaction.atomic():
            fund_id = funds.open_funds(keys=[self.key])[self.key]
            fund = funds.lock(fund_ids=[fund_id])[fund_id]
            posting = Posting(event, date(year, month, 21), "试验", self.count, "maker")
            funds.post(fund=fund, posting=posting, lines=lines(fund), year=fund.open_year(year))

    def pay(self, fen: int, *, offset: int = 0, **when: int) -> None:
        def lines(fund: Held) -> Lines:
            return entries.deduction(fen, offset_fen=offset, available_fen=fund.available_fen)

        self.move(Event.DEDUCTION, lines, **when)

    def correct(self, fen: int, **when: int) -> None:
        self.move(Event.NEGATIVE_DIFFERENCE, lambda _: entries.negative_difference(fen), **when)

    def claw_back(self, fen: int, **when: int) -> None:
        def lines(fund: Held) -> Lines:
            settled = fund.closed_through >= when.get("year", 2026)
            return entries.clawback_decided(fen, year_is_settled=settled)

        self.move(Event.CLAWBACK_DECIDED, lines, **when)

    def got_back(self, fen: int, **when: int) -> None:
        self.move(Event.CLAWBACK_RECEIVED, lambda _: entries.clawback_received(fen), **when)

    def draft(
        self, ask: Ask = FINAL, *, needs: Mapping[tuple[int, str], int] | None = None
    ) -> int | None:
        return settlements.draft(
            institution_id=self.bank.id, scheme_id=self.scheme.pk, ask=ask, needs=needs or {},
            actor="maker", at=AT,
        )  # fmt: skip

    def settle(self, ask: Ask = FINAL, approved: int | None = None) -> SettlementItem:
        """The whole way, approved in full unless said otherwise."""
        made = self.draft(ask)
        assert made is not None
        settlements.submit(settlement_id=made, actor="checker", at=AT)
        decide(made, approved)
        settlement_decisions.book(settlement_id=made, actor="checker", at=AT)
        return SettlementItem.objects.get(settlement_id=made)

    @property
    def fund(self) -> Fund:
        return Fund.objects.get()

    def balances(self) -> tuple[int, ...]:
        f = self.fund
        return (
            f.special_account_fen, f.treasury_advance_fen, f.subsidy_applied_fen, f.bank_advance_fen,
            f.clawback_receivable_fen, f.disallowed_fen,
        )  # fmt: skip


def decide(made: int, fen: int | None = None, document: str = "财批〔2027〕1号") -> None:
    settlement_decisions.decide(
        settlement_id=made,
        approved=None if fen is None else {CENTRAL: fen},
        document_number=document,
        decided_on=ANSWERED,
        actor="maker",
        at=AT,
    )


def said(item: SettlementItem) -> dict[str, int]:
    """What an item says, zeros left out."""
    names = [f.name for f in SettlementItem._meta.fields if f.name.endswith("_fen")]
    return {name[:-4]: getattr(item, name) for name in names if getattr(item, name)}


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Settlement, SettlementItem, Fund, LedgerEntry)
    ]


@pytest.fixture
def money() -> Money:
    return Money()


def test_a_year_with_corrections_and_clawbacks_adds_up(money: Money) -> None:
    money.receive(10_000)
    money.pay(7_000)
    money.correct(500)
    money.pay(2_000, offset=300, month=6)
    money.claw_back(400, month=7)
    money.got_back(250, month=8)
    item = money.settle()
    assert said(item) == {
        "received": 10_000, "used": 9_000, "adjusted": -500, "clawback_decided": 400, "clawed_back": 550,
        "claimed": 8_100, "surplus": 1_550, "receivable": 350, "approved": 8_100,
    }  # fmt: skip
    assert item.carry_over_fen == 1_550
    assert money.balances() == (1_550, -1_900, 0, 0, 350, 0)
    assert money.fund.closed_through == 2026


def test_what_is_disallowed_is_borne_by_the_bank(money: Money) -> None:
    money.pay(1_000)
    item = money.settle(approved=900)
    assert said(item) == {
        "used": 1_000, "claimed": 1_000, "gap": 1_000, "approved": 900, "disallowed": 100,
    }  # fmt: skip
    assert item.carry_over_fen == -1_000
    assert money.balances() == (0, 900, 0, -1_000, 0, 100)


def test_parts_add_up_to_the_year_and_all_to_the_liquidation(money: Money) -> None:
    money.receive(5_000)
    money.pay(1_000, month=3)
    money.pay(2_000, month=6)
    first = money.settle(Ask(2026, posted_through=date(2026, 4, 1)))
    second = money.settle(Ask(2026))
    money.pay(4_000, month=9)
    money.correct(100, month=10)
    last = money.settle(FINAL, approved=3_000)
    parts = Settlement.objects.order_by("pk").values_list("part", "is_final", "state")
    assert list(parts) == [(1, False, "booked"), (2, False, "booked"), (3, True, "booked")]
    assert [one.claimed_fen for one in (first, second, last)] == [1_000, 2_000, 3_900]
    assert [one.opening_fen for one in (first, second, last)] == [0, 4_000, 2_000]
    assert [one.carry_over_fen for one in (first, second, last)] == [4_000, 2_000, -2_000]
    assert money.draft() is None
    money.receive(2_500, year=2027)
    money.pay(300, year=2027)
    end = money.settle(Ask(None))
    assert said(end) == {
        "opening": -2_000, "received": 2_500, "used": 300, "claimed": 300, "surplus": 200,
        "receivable_opening": 100, "receivable": 100, "approved": 300,
    }  # fmt: skip
    assert end.carry_over_fen == 0
    assert money.balances() == (0, -1_000, 0, 0, 100, 900)
    money.got_back(100, year=2027)
    late = money.settle(Ask(None))
    assert (late.settlement.part, said(late)) == (
        2,
        {
            "clawed_back": 100,
            "returned": 200,
            "opening": 200,
            "surplus": 100,
            "receivable_opening": 100,
        },
    )
    assert money.balances() == (0, -900, 0, 0, 0, 900)
    with pytest.raises(DomainError, match="已清算"):
        money.draft(Ask(2027))


def test_a_liquidation_repays_the_banks_advance_before_it_returns_anything(money: Money) -> None:
    money.pay(1_000)
    money.correct(1_000)
    money.got_back(1_000)
    assert money.balances() == (1_000, 0, 0, -1_000, 0, 0)
    item = money.settle(Ask(None))
    assert said(item) == {"used": 1_000, "adjusted": -1_000, "clawed_back": 1_000}
    assert money.balances() == (0, 0, 0, 0, 0, 0)


def test_a_difference_after_closing_is_settled_with_the_open_year(money: Money) -> None:
    money.receive(5_000)
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    money.correct(200)
    assert LedgerEntry.objects.latest("number").year == 2027
    decide(made)
    settlement_decisions.book(settlement_id=made, actor="checker", at=AT)
    money.claw_back(300)
    assert money.balances() == (4_000, -4_300, -200, 0, 500, 0)
    item = money.settle(Ask(2027))
    assert said(item) == {
        "opening": 4_000, "adjusted": -200, "claimed": -200, "clawback_settled": 300, "surplus": 4_000,
        "receivable": 500, "approved": -200,
    }  # fmt: skip
    assert money.balances() == (4_000, -4_500, 0, 0, 500, 0)


def test_settling_again_refreshes_an_unsubmitted_draft_and_never_doubles_it(money: Money) -> None:
    money.pay(1_000)
    first = money.draft(Ask(2026))
    assert money.draft(Ask(2026)) == first
    money.pay(500)
    second = money.draft(Ask(2026))
    final = money.draft(FINAL)
    need = money.draft(FINAL, needs={(money.bank.id, "central"): 77})
    states = Settlement.objects.order_by("pk").values_list("pk", "state", "part", "is_final")
    assert list(states) == [
        (first, "withdrawn", 1, False), (second, "withdrawn", 1, False), (final, "withdrawn", 1, True),
        (need, "draft", 1, True),
    ]  # fmt: skip
    item = SettlementItem.objects.get(settlement_id=need)
    assert said(item) == {"used": 1_500, "claimed": 1_500, "gap": 1_500, "next_year_need": 77}


def test_years_are_settled_in_order_and_one_at_a_time(money: Money) -> None:
    assert money.draft() is None
    money.pay(1_000)
    money.pay(10, year=2027)
    before = everything()
    with pytest.raises(DomainError, match="2026 年度尚未结清"):
        money.draft(Ask(2027))
    assert everything() == before
    made = money.draft(Ask(2026))
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    before = everything()
    for ask in (Ask(2026), Ask(None)):
        with pytest.raises(DomainError, match="尚有未办结的结算"):
            money.draft(ask)
    assert everything() == before
    settlements.take_back(settlement_id=made, why="重做", actor="checker", at=AT)
    item = money.settle()
    assert (item.settlement.part, item.claimed_fen) == (1, 1_000)
    assert money.settle(Ask(2027)).claimed_fen == 10


def test_a_last_part_takes_everything_or_is_not_submitted(money: Money) -> None:
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    money.pay(1)
    before = everything()
    with pytest.raises(DomainError, match="起草后又有入账"):
        settlements.submit(settlement_id=made, actor="checker", at=AT)
    assert everything() == before


Wrong = tuple[Callable[[int], None], str]
WRONG: dict[str, tuple[str, Wrong]] = {
    "own draft": ("draft", (lambda pk: settlements.submit(settlement_id=pk, actor="maker", at=AT), "本人经办")),
    "no decision yet": ("draft", (decide, "现为“草稿”")),
    "nothing decided": ("submitted", (lambda pk: book_by(pk, "checker"), "现为“已提交”")),
    "too much": ("submitted", (lambda pk: decide(pk, 1_001), "认可额须在 0 与申报额之间")),
    "below zero": ("submitted", (lambda pk: decide(pk, -1), "认可额须在 0 与申报额之间")),
    "no document": ("submitted", (lambda pk: decide(pk, document=" "), "须填批复文号")),
    "own decision": ("decided", (lambda pk: book_by(pk, "maker"), "批复录入人不能复核入账")),
    "taken back late": ("decided", (lambda pk: settlements.take_back(settlement_id=pk, why="重做", actor="x", at=AT), "已批复")),
    "decided anew": ("decided", (lambda pk: book_by(pk, "third", decided_at=datetime(2020, 1, 1, tzinfo=UTC)), "已重新录入")),
    "booked twice": ("booked", (lambda pk: book_by(pk, "third"), "现为“已入账”")),
    "submitted twice": ("booked", (lambda pk: settlements.submit(settlement_id=pk, actor="x", at=AT), "已入账")),
    "unknown": ("draft", (lambda pk: book_by(pk + 1, "x"), "没有结算")),
}  # fmt: skip


def book_by(pk: int, actor: str, **seen: Any) -> None:
    settlement_decisions.book(settlement_id=pk, actor=actor, at=AT, **seen)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_breaks_a_rule_changes_nothing(money: Money, wrong: str) -> None:
    state, (act, why) = WRONG[wrong]
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    steps: list[Callable[[], None]] = [
        lambda: settlements.submit(settlement_id=made, actor="checker", at=AT),
        lambda: decide(made, 900),
        lambda: book_by(made, "checker"),
    ]
    for step in steps[: ["draft", "submitted", "decided", "booked"].index(state)]:
        step()
    before = everything()
    with pytest.raises(DomainError, match=why):
        act(made)
    assert everything() == before


def test_a_decision_names_every_tier_and_leaves_corrections_whole(money: Money) -> None:
    money.pay(1_000)
    money.settle(Ask(2026))
    money.correct(100)
    made = money.draft()
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    before = everything()
    with pytest.raises(DomainError, match="申报额为负数时须全额认可"):
        decide(made, 0)
    with pytest.raises(DomainError, match="须逐项填写认可额"):
        settlement_decisions.decide(
            settlement_id=made, approved={}, document_number="x", decided_on=ANSWERED, actor="maker", at=AT
        )  # fmt: skip
    assert everything() == before
    decide(made, -100, "财批〔2027〕2号")
    decide(made, None, "财批〔2027〕3号")
    book_by(made, "checker")
    assert money.balances() == (0, 900, 0, -1_000, 100, 0)
    assert Settlement.objects.get(pk=made).document_number == "财批〔2027〕3号"


def test_money_reserved_since_holds_up_a_liquidation(money: Money) -> None:
    money.receive(1_000)
    made = money.draft(Ask(None))
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    decide(made)
    assert funds.reserve(fund_id=money.fund.pk, amount_fen=1)
    before = everything()
    with pytest.raises(DomainError, match="专户可用余额不足以退回结余"):
        book_by(made, "checker")
    assert everything() == before


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE settlement_settlementitem SET claimed_fen = 1", "permission denied"),
        ("UPDATE settlement_settlement SET year = 2025", "permission denied"),
        ("UPDATE settlement_settlement SET made_by = 'x'", "permission denied"),
        ("DELETE FROM settlement_settlementitem", "permission denied"),
        ("UPDATE settlement_settlement SET state = 'draft'", "this settlement is over"),
        (
            "UPDATE settlement_settlementitem SET approved_fen = 999, disallowed_fen = 1",
            "its figures stay",
        ),
    ],
)
def test_no_role_changes_a_booked_settlement(
    money: Money, as_role: AsRole, role: str, change: str, why: str
) -> None:
    money.pay(1_000)
    money.settle()
    before = everything()
    with (
        pytest.raises(DatabaseError, match=why),
        as_role(role, everything=True),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert everything() == before


def test_the_web_settles_in_its_scope_only(money: Money, as_role: AsRole) -> None:
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    other = Institution.objects.get(code=OTHER)
    with as_role("app", other), pytest.raises(DomainError, match="没有结算"):
        settlements.submit(settlement_id=made, actor="checker", at=AT)
    with as_role("app", money.bank):
        settlements.submit(settlement_id=made, actor="checker", at=AT)
        decide(made)
        book_by(made, "checker")
    assert Settlement.objects.get().state == "booked"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_books_and_the_other_is_told(money: Money) -> None:
    money.pay(1_000)
    drafts = at_once(*(money.draft,) * 4)
    made = Settlement.objects.get().pk
    assert drafts == [made] * 4
    submitted = at_once(
        *(lambda: settlements.submit(settlement_id=made, actor="checker", at=AT),) * 3
    )
    assert submitted.count(None) == 1
    assert {one.code for one in submitted if one is not None} == {"settlement_state"}
    decide(made)
    booked = at_once(*(lambda: book_by(made, "checker"),) * 3)
    assert booked.count(None) == 1
    assert {one.code for one in booked if one is not None} == {"settlement_state"}
    assert money.balances() == (0, 1_000, 0, -1_000, 0, 0)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do these at the same moment, each on a connection of its own."""
    gate, found = threading.Barrier(len(acts)), []

    def one(act: Callable[[], Any]) -> None:
        gate.wait()
        try:
            found.append(act())
        except DomainError as refusal:
            found.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(acts)
    return found
