"""Taken back by two people, in parts, or borne by the bank; pre-allocations booked by a second one."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils import timezone

from loans.services.intake import import_file
from loans.values.errors import DomainError
from settlement.models import Clawback, ClawbackMovement, Fund, LedgerEntry, Receipt
from settlement.services import clawback_movements, clawbacks, funds
from settlement.services.clawback_movements import Payment
from settlement.services.clawbacks import Claim, Ground
from settlement.services.made_good import check_made_good, record_made_good
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.verification import verify
from tests.integration.book import AT, exported, run
from tests.integration.small_book import FIRST, TREE, SmallBook
from tests.integration.steps import everything
from tests.integration.test_append_only import AsRole
from tests.integration.test_postings import balances

pytestmark = pytest.mark.django_db

GROUND = Ground(origin="staff", origin_id=0, why="挪用 / misuse (ST-28)")


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """One note, two collections of 1,000 yuan each."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    for month in (2, 3):
        book.collect("A", month)
    run()
    return book


def claim(yuan: int, year: int = 2026) -> Claim:
    (fund,) = Fund.objects.all()
    (note_id,) = set(fund.scheme.deductions.values_list("note_id", flat=True))
    return Claim(note_id, fund.pk, year, yuan * 100)


def proposed(yuan: int) -> int:
    return clawbacks.propose(claim=claim(yuan), ground=GROUND, actor="maker", at=AT)


def decided(yuan: int) -> int:
    made = proposed(yuan)
    clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)
    return made


def move(made: int, kind: str, yuan: int, reference: str = "") -> int:
    payment = Payment(date(2026, 7, 1), yuan * 100, reference, why="试验")
    movement = clawback_movements.record_movement(
        clawback_id=made, kind=kind, payment=payment, actor="maker", at=AT
    )
    clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)
    return movement


def refused(code: str) -> object:
    return pytest.raises(DomainError, check=lambda error: error.code == code)


def test_received_in_parts_and_the_rest_borne_by_the_bank(small: SmallBook) -> None:
    made = decided(1_500)
    assert balances() == {
        "subsidy_applied": 500, "bank_advance": -2_000, "clawback_receivable": 1_500,
    }  # fmt: skip
    move(made, "received", 400, "T1")
    move(made, "received", 600, "T2")
    move(made, "written_off", 500)
    assert balances() == {
        "special_account": 1_000, "subsidy_applied": 500, "bank_advance": -2_000, "disallowed": 500,
    }  # fmt: skip
    assert Clawback.objects.get().open_fen == 0
    assert [
        (e.event, e.source) for e in LedgerEntry.objects.order_by("number")[2:]
    ] == [
        ("clawback_decided", f"clawback {made}"),
        ("clawback_received", f"clawback {made}"),
        ("clawback_received", f"clawback {made}"),
        ("clawback_written_off", f"clawback {made}"),
    ]  # fmt: skip
    assert verify().problems == []


def test_the_bank_makes_good_what_it_bears(small: SmallBook) -> None:
    move(decided(1_500), "written_off", 500)
    (fund,) = Fund.objects.all()
    details = {"fund_id": fund.pk, "moved_on": date(2026, 8, 1), "actor": "maker", "at": AT}
    made = record_made_good(**details, amount_fen=40_000, reference="B1")
    with refused("made_good_beyond_borne"):
        record_made_good(**details, amount_fen=10_001, reference="B2")
    with refused("own_work"):
        check_made_good(made_good_id=made, actor="maker", at=AT)
    assert balances()["disallowed"] == 500
    check_made_good(made_good_id=made, actor="checker", at=AT)
    with refused("already_checked"):
        check_made_good(made_good_id=made, actor="third", at=AT)
    assert balances() == {
        "special_account": 400, "subsidy_applied": 500, "bank_advance": -2_000,
        "clawback_receivable": 1_000, "disallowed": 100,
    }  # fmt: skip
    assert verify().problems == []


def test_of_a_settled_year_it_is_owed_to_finance_again(small: SmallBook) -> None:
    (fund,) = Fund.objects.all()
    funds.close_year(fund_id=fund.pk, year=2026)
    decided(1_500)
    assert balances() == {
        "treasury_advance": -1_500, "subsidy_applied": 2_000, "bank_advance": -2_000,
        "clawback_receivable": 1_500,
    }  # fmt: skip
    assert LedgerEntry.objects.order_by("-number")[0].year == 2027


def test_it_is_offset_against_the_next_deduction(small: SmallBook) -> None:
    made = decided(1_500)
    small.collect("A", 4)
    run()
    found = Clawback.objects.get(pk=made)
    assert (found.offset_fen, found.open_fen) == (100_000, 50_000)
    assert balances() == {
        "subsidy_applied": 1_500, "bank_advance": -2_000, "clawback_receivable": 500,
    }  # fmt: skip


def test_nothing_is_taken_back_twice(small: SmallBook) -> None:
    proposed(1_500)
    before = list(Clawback.objects.values_list())
    with refused("clawback_beyond_paid"):
        proposed(501)
    with refused("clawback_beyond_paid"):
        clawbacks.propose(claim=claim(1, 2027), ground=GROUND, actor="maker", at=AT)
    with refused("clawback_beyond_paid"):
        proposed(0)
    assert list(Clawback.objects.values_list()) == before
    proposed(500)


def test_a_dismissed_proposal_claims_nothing(small: SmallBook) -> None:
    made = proposed(2_000)
    with refused("reason_missing"):
        clawbacks.decide(clawback_id=made, accept=False, actor="checker", at=AT)
    clawbacks.decide(
        clawback_id=made, accept=False, dismissed_why="已另案处理", actor="checker", at=AT
    )
    assert Clawback.objects.get().dismissed_why == "已另案处理"
    assert "clawback_receivable" not in balances()
    decided(2_000)


def test_nobody_checks_their_own(small: SmallBook) -> None:
    made = proposed(1_500)
    with refused("own_work"):
        clawbacks.decide(clawback_id=made, accept=True, actor="maker", at=AT)
    assert Clawback.objects.get().state == "proposed"
    clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)
    with refused("clawback_already_decided"):
        clawbacks.decide(clawback_id=made, accept=True, actor="third", at=AT)
    payment = Payment(date(2026, 7, 1), 100, "T1")
    movement = clawback_movements.record_movement(
        clawback_id=made, kind="received", payment=payment, actor="maker", at=AT
    )
    before = balances()
    with refused("own_work"):
        clawback_movements.check_movement(movement_id=movement, actor="maker", at=AT)
    assert balances() == before
    assert ClawbackMovement.objects.get().checked_by is None


def test_no_more_is_received_than_is_owed(small: SmallBook) -> None:
    made = decided(1_500)
    payment = Payment(date(2026, 7, 1), 150_000, "T1")
    clawback_movements.record_movement(
        clawback_id=made, kind="received", payment=payment, actor="maker", at=AT
    )
    with refused("clawback_beyond_open"):
        clawback_movements.record_movement(
            clawback_id=made, kind="written_off", payment=Payment(date(2026, 7, 1), 1, why="试验"),
            actor="maker", at=AT,
        )  # fmt: skip
    assert ClawbackMovement.objects.count() == 1


def received(small: SmallBook, yuan: str, document: str, *, bank: str = TREE[0][0]) -> None:
    row = {
        "scheme_code": "test", "institution_code": bank, "tier": "municipal",
        "received_on": "2026-01-04", "amount": yuan, "document_number": document,
    }  # fmt: skip
    small.enter("pre-allocations", row)


def test_a_pre_allocation_counts_once_a_second_person_checked_it(small: SmallBook) -> None:
    received(small, "3000.00", "甲1")
    assert book_pre_allocations(actor="system", at=AT).receipts == 0
    assert balances() == {"subsidy_applied": 2_000, "bank_advance": -2_000}
    booked = book_pre_allocations(actor="checker", at=AT)
    assert (booked.receipts, booked.amount_fen, booked.waiting) == (1, 300_000, 0)
    after = {"special_account": 1_000, "treasury_advance": -3_000, "subsidy_applied": 2_000}
    assert balances() == after
    assert book_pre_allocations(actor="checker", at=AT).receipts == 0
    assert balances() == after
    assert Receipt.objects.values_list("made_by", "checked_by").get() == ("system", "checker")
    received(small, "-3000.00", "甲2")
    book_pre_allocations(actor="checker", at=AT)
    assert balances() == {"subsidy_applied": 2_000, "bank_advance": -2_000}


def test_a_stand_in_for_the_second_person_books_only_what_commands_brought_in(
    small: SmallBook, tmp_path: Path
) -> None:
    received(small, "1500.00", "甲1")
    received(small, "700.00", "乙1", bank=TREE[2][0])
    by_hand = tmp_path / "zhang.csv"
    by_hand.write_text(
        "scheme_code,institution_code,tier,received_on,amount,document_number\n"
        f"test,{TREE[0][0]},municipal,2026-01-04,800.00,甲2\n",
        encoding="utf-8",
    )
    import_file(kind="pre-allocations", path=by_hand, actor="zhang", at=AT)
    call_command("run_deductions", institution=TREE[0][0], stdout=io.StringIO())
    booked = Receipt.objects.order_by("pk").values_list("pre_allocation__document_number")
    assert list(booked) == [("甲1",)]
    assert balances() == {
        "treasury_advance": -1_500, "subsidy_applied": 2_000, "bank_advance": -500,
    }  # fmt: skip
    call_command("run_deductions", stdout=io.StringIO())
    assert list(booked.all()) == [("甲1",), ("乙1",)]
    assert book_pre_allocations(actor="zhang", at=AT).receipts == 0
    assert book_pre_allocations(actor="li", at=AT).amount_fen == 80_000


def test_unspent_money_is_told_by_receipt_first_in_first_out(
    small: SmallBook, tmp_path: Path
) -> None:
    for yuan, document in (("1500.00", "甲1"), ("900.00", "甲2"), ("250.00", "甲3")):
        received(small, yuan, document)
    book_pre_allocations(actor="checker", at=AT)
    found = exported("fund-ageing", tmp_path)
    assert [(row["source"], row["amount"], row["unspent"]) for row in found] == [
        ("甲1", "1500.00", "0.00"),
        ("甲2", "900.00", "400.00"),
        ("甲3", "250.00", "250.00"),
    ]
    assert balances()["special_account"] == 650
    assert {row["received_on"] for row in found} == {"2026-01-04"}
    move(decided(100), "received", 100, "T1")
    (back,) = [row for row in exported("fund-ageing", tmp_path) if row["event"] != "pre_allocation"]
    assert (back["event"], back["unspent"], back["bucket"]) == (
        "clawback_received",
        "100.00",
        "0-30",
    )


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Etc/GMT-14"])  # never of one date
def test_money_is_as_old_as_it_is_in_china(small: SmallBook, tmp_path: Path, zone: str) -> None:
    received(small, "2500.00", "甲1")
    book_pre_allocations(actor="checker", at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
    (row,) = exported("fund-ageing", tmp_path)
    age = timezone.localdate(timezone=ZoneInfo("Asia/Shanghai")) - date(2026, 1, 4)
    assert (row["days"], row["unspent"]) == (str(age.days), "500.00")


def test_the_ledger_is_exported_line_by_line(small: SmallBook, tmp_path: Path) -> None:
    received(small, "1500.00", "甲1")
    book_pre_allocations(actor="checker", at=AT)
    names = ("event", "tier", "account", "debit", "credit", "source", "year")
    found = [tuple(row[name] for name in names) for row in exported("ledger", tmp_path)]
    assert [row for row in found if row[0] != "deduction"] == [
        ("pre_allocation", "municipal", "special_account", "1500.00", "0.00", "甲1", "2026"),
        ("pre_allocation", "municipal", "treasury_advance", "0.00", "1500.00", "甲1", "2026"),
        ("advance_repaid", "municipal", "bank_advance", "1500.00", "0.00", "甲1", "2026"),
        ("advance_repaid", "municipal", "special_account", "0.00", "1500.00", "甲1", "2026"),
    ]
    assert len(found) == 8


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE settlement_clawback SET checked_by = 'third' WHERE state = 'decided'",
        "UPDATE settlement_clawback SET state = 'proposed', received_fen = 0 WHERE state = 'decided'",
        "UPDATE settlement_clawback SET state = 'dismissed', dismissed_why = 'x', received_fen = 0"
        " WHERE state = 'decided'",
        "UPDATE settlement_clawback SET dismissed_why = 'x' WHERE state = 'dismissed'",
        "UPDATE settlement_clawbackmovement SET checked_by = 'third'",
        "UPDATE settlement_clawbackmovement SET checked_by = NULL, checked_at = NULL",
        "UPDATE settlement_clawbackmovement SET refused_why = 'x'",
        "UPDATE settlement_madegood SET checked_at = now()",
        "UPDATE settlement_schemeversion SET checked_by = 'third'",
    ],
)
def test_what_is_answered_stays_answered(
    small: SmallBook, as_role: AsRole, role: str, change: str
) -> None:
    made = decided(1_500)
    move(made, "received", 400, "T1")
    move(made, "written_off", 300)
    (fund,) = Fund.objects.all()
    details = {"fund_id": fund.pk, "moved_on": date(2026, 8, 1), "actor": "maker", "at": AT}
    good = record_made_good(**details, amount_fen=30_000, reference="B1")
    check_made_good(made_good_id=good, actor="checker", at=AT)
    no = proposed(100)
    clawbacks.decide(clawback_id=no, accept=False, dismissed_why="无", actor="checker", at=AT)
    before = everything()
    with (
        pytest.raises(IntegrityError, match="answered and stays"),
        as_role(role, everything=True),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert everything() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "UPDATE settlement_ledgerline SET debit_fen = debit_fen + 1 WHERE debit_fen > 0",
            "链断裂",
        ),
        ("UPDATE settlement_ledgerentry SET posted_on = posted_on - 1 WHERE number = 1", "链断裂"),
        ("DELETE FROM settlement_ledgerentry WHERE number = 2", "链头"),
        ("UPDATE settlement_ledgerentry SET year = 2025 WHERE number = 2", "链断裂"),
        ("UPDATE settlement_deduction SET municipal_fen = municipal_fen + 1", "当月发生额"),
    ],
)
def test_what_a_superuser_rewrites_is_found(
    small: SmallBook, owner_connection: psycopg.Connection, change: str, found: str
) -> None:
    assert verify().problems == []
    with owner_connection.transaction():
        for table in ("ledgerline", "ledgerentry", "deduction"):
            owner_connection.execute(f"ALTER TABLE settlement_{table} DISABLE TRIGGER USER")
        owner_connection.execute(change)
        for table in ("ledgerline", "ledgerentry", "deduction"):
            owner_connection.execute(f"ALTER TABLE settlement_{table} ENABLE TRIGGER USER")
    problems = verify().problems
    assert any(found in problem for problem in problems), problems
