"""A subsidy is owed back once: claims by people lapse where a recomputation takes the same money back (S21)."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import Institution, Role
from loans.values.errors import DomainError
from settlement.models import (
    Clawback,
    ClawbackLapse,
    Fund,
    LedgerEntry,
    LedgerLine,
    SettlementItem,
)
from settlement.services import clawback_movements, clawbacks, funds, settlements
from settlement.services.clawback_movements import Payment
from settlement.services.clawbacks import Claim, Ground
from settlement.services.record_verification import verify_records
from settlement.services.settlements import Ask
from settlement.services.verification import verify
from tests.integration.book import AT, exported, run
from tests.integration.small_book import FIRST, TREE, SmallBook
from tests.integration.steps import address, everything
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_postings import balances, receive

pytestmark = pytest.mark.django_db

WHOLE = 3_600_000
TWO_TIERS = '1", assumed_because = "test" }\ntiers.provincial = { points = "1'


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """One note and a subsidy of 1,000 yuan, advanced by the bank."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.collect("A", 2)
    run()
    return book


def lower(book: SmallBook, on: str = "2026-01-20") -> None:
    """The note had been repaid by that day: from then on nothing is subsidised."""
    book.repay("A", on, WHOLE)
    run()


def undo(book: SmallBook, on: str = "2026-01-20") -> None:
    book.repay("A", on, -WHOLE)
    run()


def claim(yuan: int, *, tier: str = "municipal", is_offset: bool = True) -> int:
    fund = Fund.objects.get(tier=tier)
    note_id = fund.scheme.deductions.filter(note__note_number="A").values_list("note_id")[0][0]
    why = f"挪用 {Clawback.objects.count()}"
    ground = Ground(origin="staff", origin_id=0, why=why, is_offset=is_offset)
    asked = Claim(note_id, fund.pk, 2026, yuan * 100)
    made = clawbacks.propose(claim=asked, ground=ground, actor="maker", at=AT)
    clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)
    return made


def move(made: int, kind: str, yuan: int) -> None:
    payment = Payment(date(2026, 7, 1), yuan * 100, reference="T1", why="试验")
    movement = clawback_movements.record_movement(
        clawback_id=made, kind=kind, payment=payment, actor="maker", at=AT
    )
    clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)


def owed() -> list[tuple[str, int, int]]:
    """Origin, amount and what is open of every clawback, in yuan, in order."""
    return [
        (one.origin, one.amount_fen // 100, one.open_fen // 100)
        for one in Clawback.objects.order_by("pk")
    ]


def lapsed() -> list[tuple[int, int]]:
    """Every lapse and what of it was of a settled year, in yuan, in order."""
    rows = ClawbackLapse.objects.order_by("pk").values_list("amount_fen", "settled_fen")
    return [(fen // 100, settled // 100) for fen, settled in rows]


def events() -> list[str]:
    return list(LedgerEntry.objects.order_by("number").values_list("event", flat=True))


def test_a_difference_after_a_claim_is_owed_for_the_rest(small: SmallBook) -> None:
    claim(300, is_offset=False)
    lower(small)
    assert owed() == [("staff", 300, 300), ("difference", 700, 700)]
    assert lapsed() == [(300, 0)]
    assert balances() == {"bank_advance": -1_000, "clawback_receivable": 1_000}
    assert events() == ["deduction", "clawback_decided", "negative_difference", "clawback_lapsed"]
    entry = LedgerEntry.objects.get(event="clawback_lapsed")
    lapse = ClawbackLapse.objects.get()
    assert (entry.source_id, entry.source, entry.year) == (lapse.pk, f"lapse {lapse.pk}", 2026)
    assert verify().problems == []
    run()
    assert len(events()) == 4


@pytest.mark.parametrize(
    ("kind", "yuan", "is_offset", "then", "again"),
    [
        ("received", 0, False, (300, 700), (300, 0, 0)),
        ("received", 100, False, (200, 700), (200, 0, 0)),
        ("received", 300, False, (0, 700), (0, 0, 0)),
        ("written_off", 300, False, (0, 700), (0, 0, 0)),
        ("received", 0, True, (300, 700), (0, 0, 300)),
        ("received", 100, True, (200, 700), (0, 0, 200)),
    ],
)
def test_undone_the_enterprise_owes_exactly_its_claim_again(
    small: SmallBook,
    kind: str,
    yuan: int,
    is_offset: bool,
    then: tuple[int, ...],
    again: tuple[int, ...],
) -> None:
    made = claim(300, is_offset=is_offset)
    if yuan:
        move(made, kind, yuan)
    lower(small)
    assert tuple(open_ for _, _, open_ in owed()) == then
    assert balances()["clawback_receivable"] == 1_000 - yuan
    assert verify().problems == []
    undo(small)
    assert tuple(open_ for _, _, open_ in owed()) == again
    assert [amount for _, amount, _ in owed()] == [300, 700, 300]
    assert sum(again) == 300 - yuan
    assert balances().get("clawback_receivable", 0) == 300 - yuan
    assert balances()["subsidy_applied"] == 700
    assert lapsed() == [(300, 0), (-300, 0)]
    assert verify().problems == []


def test_a_claim_that_was_offset_is_not_asked_for_again(small: SmallBook) -> None:
    claim(300)
    small.collect("A", 3)
    run()
    assert owed() == [("staff", 300, 0)]
    lower(small)
    assert owed() == [("staff", 300, 0), ("difference", 1_700, 1_700)]
    assert balances() == {"bank_advance": -1_700, "clawback_receivable": 1_700}
    assert verify().problems == []


def test_a_claim_beyond_what_is_left_lapses_in_part_and_then_whole(small: SmallBook) -> None:
    claim(300, is_offset=False)
    lower(small, "2026-02-03")  # two of ten days are left
    assert owed() == [("staff", 300, 300), ("difference", 700, 700)]
    assert lapsed() == [(100, 0)]
    assert balances() == {"bank_advance": -1_000, "clawback_receivable": 1_000}
    before = everything()
    with pytest.raises(DomainError, match=r"between 0\.01 and 0\.00 yuan"):
        claim(1)
    assert everything() == before
    undo(small, "2026-02-03")
    lower(small)
    assert lapsed() == [(100, 0), (-100, 0), (300, 0)]
    assert [open_ for _, _, open_ in owed()] == [300, 0, 0, 700]
    assert balances()["clawback_receivable"] == 1_000
    assert verify().problems == []


def test_differences_of_several_runs_lapse_it_step_by_step(small: SmallBook) -> None:
    small.collect("A", 3)
    run()
    claim(1_300, is_offset=False)
    lower(small, "2026-03-01")
    assert owed() == [("staff", 1_300, 1_300), ("difference", 700, 700)]
    assert lapsed() == [(300, 0)]
    small.repay("A", "2026-03-01", -WHOLE)
    lower(small, "2026-01-20")
    assert owed() == [("staff", 1_300, 1_300), ("difference", 700, 700)]
    assert lapsed() == [(300, 0), (1_000, 0)]
    assert balances() == {"bank_advance": -2_000, "clawback_receivable": 2_000}
    assert verify().problems == []


def test_decided_after_the_year_was_settled_it_lapses_against_the_treasury(
    small: SmallBook,
) -> None:
    claim(200, is_offset=False)
    funds.close_year(fund_id=Fund.objects.get().pk, year=2026)
    claim(300, is_offset=False)
    assert balances()["treasury_advance"] == -300
    lower(small)
    assert owed()[2:] == [("difference", 500, 500)]
    assert lapsed() == [(500, 300)]
    assert balances() == {"bank_advance": -1_000, "clawback_receivable": 1_000}
    entry = LedgerEntry.objects.get(event="clawback_lapsed")
    lines = LedgerLine.objects.filter(entry=entry).order_by("pk")
    assert list(lines.values_list("account", "debit_fen", "credit_fen")) == [
        ("subsidy_applied", 20_000, 0),
        ("treasury_advance", 30_000, 0),
        ("clawback_receivable", 0, 50_000),
    ]
    assert entry.year == 2027
    assert verify().problems == []
    undo(small)
    assert lapsed() == [(500, 300), (-500, -300)]
    assert balances() == {
        "treasury_advance": -300, "subsidy_applied": 800, "bank_advance": -1_000,
        "clawback_receivable": 500,
    }  # fmt: skip
    assert verify().problems == []


def test_each_tier_lapses_in_its_own_fund(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.scheme(points=TWO_TIERS)
    book.lend("A", FIRST)
    book.collect("A", 2)
    run()
    claim(300, is_offset=False)
    claim(1_000, tier="provincial", is_offset=False)
    lower(book)
    found = Clawback.objects.order_by("pk").values_list("fund__tier", "origin", "amount_fen")
    assert list(found) == [
        ("municipal", "staff", 30_000),
        ("provincial", "staff", 100_000),
        ("municipal", "difference", 70_000),
    ]
    lapses = ClawbackLapse.objects.order_by("amount_fen").values_list("fund__tier", "amount_fen")
    assert list(lapses) == [("municipal", 30_000), ("provincial", 100_000)]
    assert set(Fund.objects.values_list("clawback_receivable_fen", flat=True)) == {100_000}
    assert verify().problems == []


def test_where_a_scheme_holds_nothing_is_paid_out_of_what_is_claimed_already(
    tmp_path: Path,
) -> None:
    book = SmallBook(tmp_path)
    book.scheme(shortfall="hold")
    receive(1_000)
    book.lend("A", FIRST)
    book.collect("A", 2)
    run()
    claim(300, is_offset=False)
    book.lend("A2", FIRST)
    book.collect("A2", 3)
    lower(book)  # the difference is owed for 700: of another 1,000 the fund would have to pay 300
    assert book.net() == {"A-2": 0}
    assert owed() == [("staff", 300, 300), ("difference", 700, 700)]
    assert balances() == {"treasury_advance": -1_000, "clawback_receivable": 1_000}
    receive(300, 2)
    run()
    assert book.net() == {"A-2": 0, "A2-3": 1_000}
    assert balances() == {
        "treasury_advance": -1_300, "subsidy_applied": 1_000, "clawback_receivable": 300,
    }  # fmt: skip
    assert verify().problems == []


def test_a_settlement_counts_what_lapsed_against_what_was_decided(small: SmallBook) -> None:
    claim(300, is_offset=False)
    (fund,) = Fund.objects.all()
    first = settle(fund)
    assert (first.clawback_decided_fen, first.claimed_fen) == (30_000, 70_000)
    lower(small)
    second = settle(fund)
    assert (second.adjusted_fen, second.clawback_decided_fen) == (-100_000, 0)
    assert (second.used_fen, second.claimed_fen, second.receivable_fen) == (100_000, 0, 100_000)
    assert verify().problems == []


def settle(fund: Fund) -> SettlementItem:
    made = settlements.draft(
        institution_id=fund.institution_id, scheme_id=fund.scheme_id, ask=Ask(2026), needs={},
        actor="maker", at=AT,
    )  # fmt: skip
    return SettlementItem.objects.get(settlement_id=made)


def test_it_is_exported_and_has_its_voucher(small: SmallBook, tmp_path: Path) -> None:
    claim(300, is_offset=False)
    lower(small)
    (row,) = exported("clawback-lapses", tmp_path)
    assert (row["note_number"], row["tier"], row["year"]) == ("A", "municipal", "2026")
    assert (row["amount"], row["settled"], row["purpose"]) == ("300.00", "0.00", "interest")
    vouchers = [one for one in exported("vouchers", tmp_path) if one["event"] == "clawback_lapsed"]
    assert [(one["account"], one["debit"], one["credit"]) for one in vouchers] == [
        ("clawback_receivable", "0.00", "300.00"),
        ("subsidy_applied", "300.00", "0.00"),
    ]
    assert {one["summary"] for one in vouchers} == {"试验 追回并入差额"}


def test_the_claim_shows_what_lapsed_and_the_list_names_it(small: SmallBook, web: Any) -> None:
    made = claim(300, is_offset=False)
    lower(small)
    client = web(person(Role.AUDITOR, Institution.objects.get(code=TREE[0][0]), "wang"))
    page = client.get(address("settlement.clawback", "change", made)).content.decode()
    (lapse,) = ClawbackLapse.objects.values_list("pk", flat=True)
    assert page.count("追回并入差额") == 2  # in the navigation, and above its section
    assert address("settlement.clawbacklapse", "change", lapse) in page
    listed = client.get(address("settlement.clawbacklapse", "changelist")).content.decode()
    assert "300.00" in listed
    client.cookies["django_language"] = "en"
    page = client.get(address("settlement.clawback", "change", made)).content.decode()
    assert "Claims lapsed" in page


def test_without_claims_it_costs_one_query(small: SmallBook) -> None:
    small.collect("A", 3)
    with CaptureQueriesContext(connection) as seen:
        lower(small)
    asked = [query["sql"] for query in seen if "clawbacklapse" in query["sql"]]
    assert len(asked) == 1
    assert asked[0].lstrip().startswith("SELECT")


CLAIMED = "并入差额的追回与应并入不符 / lapsed claims differ from what is claimed twice"
SETTLED = "并入差额的已结算年度追回不符 / lapsed claims of settled years differ"
BOOKED = "记录与其分录不符 / a record differs from its entry: clawback_lapsed"
LOWERED = "重算追回与负差额不符 / a clawback differs from what was lowered"


@pytest.mark.django_db(transaction=True)
def test_verify_names_a_lapse_that_was_changed(
    small: SmallBook, owner_connection: psycopg.Connection
) -> None:
    claim(300, is_offset=False)
    lower(small)
    (lapse,) = ClawbackLapse.objects.values_list("pk", flat=True)
    entry = LedgerEntry.objects.get(event="clawback_lapsed").pk
    (debt,) = Clawback.objects.filter(origin="difference").values_list("pk", flat=True)
    assert verify_records() == []
    owner_connection.execute("ALTER TABLE settlement_clawbacklapse DISABLE TRIGGER USER")
    change = "UPDATE settlement_clawbacklapse SET {}"
    owner_connection.execute(change.format("amount_fen = 29999"))
    assert verify_records() == [
        f"{BOOKED} lapse #{lapse}", f"{LOWERED}: #{debt}", f"{CLAIMED}: 借据 note A 2026: 29999 ≠ 30000",
    ]  # fmt: skip
    owner_connection.execute(change.format("amount_fen = 30000, settled_fen = 7"))
    assert verify_records() == [
        f"{BOOKED} lapse #{lapse}", f"{SETTLED}: 借据 note A 2026: 7 ≠ 0",
    ]  # fmt: skip
    owner_connection.execute("DELETE FROM settlement_clawbacklapse")
    assert verify_records() == [
        f"{BOOKED} 分录 entry #{entry}", f"{LOWERED}: #{debt}",
        f"{CLAIMED}: 借据 note A 2026: 0 ≠ 30000",
    ]  # fmt: skip
