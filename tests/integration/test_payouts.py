"""Subsidies paid out instead of netted (MF-25): which, how much, when due, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.kernel.models import Institution, Run
from config.kernel.services import bulk, work
from config.kernel.services.scope import scoped
from loans.models import InterestCollection, PayoutAgreement
from settlement.models import Event, Fund, Payout, Scheme
from settlement.selectors.institutions import fund_institutions
from settlement.services import deductions, funds, groups, payouts, plans, postings
from settlement.services.funds import FundKey, Posting
from settlement.services.verification import verify
from tests.integration.book import AT, exported, run
from tests.integration.samples import refused
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook, agrees

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db


def agreement(note: str) -> dict[str, str]:
    """From 1 February on, for all schemes."""
    return {
        "institution_code": NORTH, "note_number": note, "scheme_code": "", "valid_from": "2026-02-01",
        "valid_to": "", "account_name": "甲公司", "account_number": "0032", "bank_name": "丙银行",
        "reason": "不能直接抵减",
    }  # fmt: skip


def agree(book: SmallBook, note: str = "A", **changes: str) -> None:
    """Enter an agreement, or its correction."""
    book.enter("payout-agreements", {**agreement(note), **changes})


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two notes; A is paid out from February on, B is netted."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND)
    agree(book)
    return book


def due() -> list[tuple[str, int, str, int, int]]:
    """Every pay-out: reference, sequence, day due, fen to pay, fen offset."""
    return [
        (p.collection.reference, p.sequence, str(p.due_on), p.amount_fen, p.offset_fen)
        for p in Payout.objects.select_related("collection").order_by("pk")
    ]


def test_only_notes_with_an_agreement_of_that_day_are_paid_out(book: SmallBook) -> None:
    for month in (1, 2):
        book.collect("A", month)
        book.collect("B", month)
    run()
    assert due() == [("A-2", 0, "2026-02-11", 100_000, 0)]
    (fund,) = Fund.objects.all()
    assert fund.subsidy_applied_fen == 320_000  # A and B alike: 600 and 1,000 yuan
    assert agrees()


def test_run_twice_is_once(book: SmallBook) -> None:
    book.collect("A", 3)
    run()
    before = list(Payout.objects.values_list())
    run()
    assert list(Payout.objects.values_list()) == before
    assert len(before) == 1


def test_a_correction_upwards_is_paid_out_when_posted_and_downwards_becomes_a_debt(
    book: SmallBook,
) -> None:
    book.repay("A", "2026-02-20", 1_800_000)
    book.collect("A", 3)
    run()
    book.repay("A", "2026-02-20", -1_800_000)
    run()
    assert due() == [("A-3", 0, "2026-03-11", 50_000, 0), ("A-3", 1, "2026-11-23", 50_000, 0)]
    book.repay("A", "2026-02-20", 1_800_000)
    run()
    assert len(due()) == 2
    assert agrees()


def test_an_enterprise_that_comes_twice_in_a_run_is_paid_out_once_for_each_deduction(
    book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A's group is worked on, then B, which a contract has tied to A since the run was cut."""
    monkeypatch.setattr(groups, "CHUNK_NOTES", 1)
    for number, month in (("A", 2), ("B", 2), ("B", 3)):
        book.collect(number, month)
    started = deductions.start_run(actor="system", at=AT)
    assert started is not None
    first = work.claim_chunk(run_id=started.run_id, owner="test", at=AT)
    assert first is not None
    deductions.work_chunk(chunk_id=first, at=AT)
    work.release_chunk(chunk_id=first)
    assert due() == [("A-2", 0, "2026-02-11", 100_000, 0)]
    book.collect("A", 3)
    book.project("P")
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        book.contract(number, uscc, project="P")
    deductions.work_run(run_id=started.run_id, owner="test", clock=lambda: AT)
    assert Run.objects.get().state == "done"
    assert due() == [
        ("A-2", 0, "2026-02-11", 100_000, 0), ("A-3", 0, "2026-03-11", 100_000, 0),
    ]  # fmt: skip
    assert agrees()


def test_what_a_chunk_set_off_as_a_whole_is_not_paid_out_by_a_later_one(
    book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """July's subsidy was set off; May's, posted later in the run, would be set off in its stead."""
    book.collect("A", 3)
    run()
    book.repay("A", "2026-03-01", 1_800_000)
    monkeypatch.setattr(groups, "CHUNK_NOTES", 1)
    for number in ("A", "B"):
        book.collect(number, 7)
    started = deductions.start_run(actor="system", at=AT)
    assert started is not None
    first = work.claim_chunk(run_id=started.run_id, owner="test", at=AT)
    assert first is not None
    deductions.work_chunk(chunk_id=first, at=AT)
    work.release_chunk(chunk_id=first)
    assert due() == [("A-3", 0, "2026-03-11", 100_000, 0)]
    book.collect("A", 5)
    book.project("P")
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        book.contract(number, uscc, project="P")
    deductions.work_run(run_id=started.run_id, owner="test", clock=lambda: AT)
    assert due() == [("A-3", 0, "2026-03-11", 100_000, 0)]
    run()
    assert due() == [
        ("A-3", 0, "2026-03-11", 100_000, 0), ("A-5", 0, "2026-05-11", 50_000, 0),
    ]  # fmt: skip
    assert agrees()


def test_what_is_offset_is_not_paid_out(book: SmallBook) -> None:
    book.collect("A", 3)
    run()
    book.repay("A", "2026-03-06", 1_800_000)  # a quarter of the period's subsidy was too much
    book.collect("A", 4)
    run()
    assert due() == [
        ("A-3", 0, "2026-03-11", 100_000, 0),
        ("A-4", 0, "2026-04-11", 25_000, 25_000),
    ]
    assert agrees()


def test_an_agreement_may_be_for_one_scheme_and_end(book: SmallBook) -> None:
    book.scheme(code="second", points="0.5")
    book.lend("C", FIRST, schemes="test;second")
    agree(book, "C", scheme_code="second", valid_to="2026-03-31")
    for month in (3, 4):
        book.collect("C", month)
    run()
    assert due() == [("C-3", 0, "2026-03-11", 50_000, 0)]
    assert agrees()


def test_past_interest_stays_as_it_was_collected(book: SmallBook, tmp_path: Path) -> None:
    book.collect("A", 3)
    book.collect("B", 3)
    run()
    late = {**agreement("B"), "valid_from": "2026-03-11"}
    assert refused("payout-agreements", [late], tmp_path) == [
        "row 2, column valid_from (生效日期): 该借据已收息至 2026-03-11，约定须自其后生效 / interest has been "
        "collected up to then: start after that day, 2026-03-11"
    ]
    ended = {**agreement("A"), "valid_to": "2026-03-10"}
    (problem,) = refused("payout-agreements", [ended], tmp_path)
    assert "column valid_to (终止日期): 该借据已收息至 2026-03-11" in problem
    agree(book, "B", valid_from="2026-03-12")
    agree(book, account_number="0033")
    assert [row["account_number"] for row in exported("payouts", tmp_path)] == ["0033"]
    assert agrees()


def test_the_export_says_whom_to_pay(book: SmallBook, tmp_path: Path) -> None:
    book.collect("A", 3)
    run()
    (row,) = exported("payouts", tmp_path)
    assert int(row.pop("days_overdue")) == (timezone.localdate() - date(2026, 3, 11)).days
    assert row == {
        "state": "waiting", "attempt": "0",
        "payout": str(Payout.objects.get().pk), "due_on": "2026-03-11", "institution_code": NORTH,
        "note_number": "A", "reference": "A-3", "collected_on": "2026-03-11", "uscc": FIRST,
        "account_name": "甲公司", "account_number": "0032", "bank_name": "丙银行",
        "scheme_code": "test", "sequence": "0", "central": "0.00", "provincial": "0.00",
        "municipal": "1000.00", "total": "1000.00", "offset": "0.00",
    }  # fmt: skip


def test_verify_finds_a_payout_that_was_tampered_with(
    book: SmallBook, owner_connection: psycopg.Connection
) -> None:
    book.collect("A", 3)
    run()
    _tamper(owner_connection, "UPDATE settlement_payout SET municipal_fen = 99999")
    assert [line.split(":")[0] for line in verify().problems] == [
        "少拨付 / pay-out missing", "拨付与重算不符 / pay-out differs or is not due",
    ]  # fmt: skip
    _tamper(owner_connection, "DELETE FROM settlement_payout")
    (problem,) = verify().problems
    assert problem.endswith("中央/省/市 0/0/100000 分 fen")


def _tamper(owner: psycopg.Connection, statement: str) -> None:
    with owner.transaction():
        owner.execute("ALTER TABLE settlement_payout DISABLE TRIGGER USER")
        owner.execute(statement)
        owner.execute(
            "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE settlement_payout ENABLE TRIGGER USER"
        )


def test_a_planned_note_that_is_paid_out_is_collected_from_in_full(
    book: SmallBook, tmp_path: Path
) -> None:
    for note in ("A", "B"):
        book.enter(
            "interest-collections",
            {
                "institution_code": NORTH, "note_number": note, "period_start": "2026-03-01",
                "period_end": "2026-03-11", "interest_due": "3000.00", "interest_paid": "",
                "collected_on": "2026-03-11", "reference": f"{note}-3",
            },
        )  # fmt: skip
    pre_allocate()
    for plan_id in plans.make_plans(through=date(2026, 3, 11), actor="system", at=AT):
        plans.check_plan(plan_id=plan_id, actor="checker", at=AT)
    assert [
        (r["note_number"], r["total"], r["net_to_collect"], r["paid_out"])
        for r in exported("instructions", tmp_path)
    ] == [("A", "1000.00", "3000.00", "1000.00"), ("B", "1000.00", "2000.00", "0.00")]
    assert due() == []


def pre_allocate() -> None:
    """Money enough for the plan."""
    place = InterestCollection.objects.filter(origin__code=NORTH)[0].institution_id
    key = FundKey(
        fund_institutions(level="provincial")[place],
        Scheme.objects.get(code="test").pk,
        "municipal",
    )
    posting = Posting(Event.PRE_ALLOCATION, date(2026, 1, 2), "文号", 1, "system")
    funds.receive(key=key, amount_fen=1_000_000, posting=posting, year=2026)


def test_the_database_keeps_one_payout_per_deduction(book: SmallBook) -> None:
    book.collect("A", 3)
    run()
    (made,) = Payout.objects.all()
    bulk.create_stage("due", postings.STAGE)
    again = payouts.make_payouts(
        run_id=Run.objects.get().pk, enterprise_ids=[made.note.contract.enterprise_id]
    )
    assert (again, Payout.objects.count()) == (0, 1)
    made.pk, made.municipal_fen = None, 1
    with pytest.raises(IntegrityError, match="payout_once_per_deduction"), transaction.atomic():
        made.save(force_insert=True)
    assert Payout.objects.count() == 1


def test_a_bank_sees_its_own_payouts_only(book: SmallBook, as_role: AsRole) -> None:
    book.collect("A", 3)
    run()
    places = {code: Institution.objects.get(code=code) for code in (NORTH, SOUTH)}
    with as_role("app"):
        for code, count in ((NORTH, 1), (SOUTH, 0)):
            with scoped(places[code]):
                assert Payout.objects.count() == PayoutAgreement.objects.count() == count
