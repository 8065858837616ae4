"""Finance's monthly reviews: a rejection ends the subsidy, a disallowed amount is proposed back."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from loans.models import Note
from settlement import tasks
from settlement.models import Clawback, Fund
from settlement.services import clawback_movements, clawbacks
from settlement.services.clawbacks import Claim, Ground
from settlement.services.reviews import propose_disallowances
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, NORTH, SECOND, TREE, SmallBook, agrees
from tests.integration.test_postings import balances

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """Two notes, three collections of 1,000 yuan for A and one for B."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND)
    for month in (2, 3, 4):
        book.collect("A", month)
    book.collect("B", 2)
    run()
    return book


def review(
    book: SmallBook, month: str, result: str, document: str, amount: str = "", note: str = "A"
) -> None:
    row = {
        "scheme_code": "test", "institution_code": NORTH, "note_number": note, "month": month,
        "result": result, "amount": amount, "reason": "", "document_number": document,
    }  # fmt: skip
    book.enter("review-results", row)


def test_a_rejected_note_earns_nothing_from_that_month_on(small: SmallBook) -> None:
    review(small, "2026-03", "rejected", "函1")
    counts = run()
    assert (counts["differences"], counts["collections"]) == (2, 3)
    assert small.net() == {"A-2": 1_000, "A-3": 0, "A-4": 0, "B-2": 1_000}
    assert balances() == {
        "subsidy_applied": 2_000, "bank_advance": -4_000, "clawback_receivable": 2_000,
    }  # fmt: skip
    assert agrees()
    small.collect("A", 5)
    run()
    assert "A-5" not in small.net()


def test_a_later_answer_for_the_month_takes_the_rejection_back(small: SmallBook) -> None:
    review(small, "2026-03", "rejected", "函1")
    run()
    review(small, "2026-03", "approved", "函2")
    run()
    assert small.net() == {"A-2": 1_000, "A-3": 1_000, "A-4": 1_000, "B-2": 1_000}
    assert balances() == {"subsidy_applied": 4_000, "bank_advance": -4_000}
    assert agrees()


def test_a_rejection_before_the_first_day_leaves_nothing(small: SmallBook) -> None:
    review(small, "2025-12", "rejected", "函1")
    run()
    assert small.net() == {"A-2": 0, "A-3": 0, "A-4": 0, "B-2": 1_000}
    assert agrees()


def test_a_disallowed_amount_is_owed_or_borne_as_two_people_decide(small: SmallBook) -> None:
    review(small, "2026-02", "disallowed", "函1", "300.00")
    review(small, "2026-03", "disallowed", "函2", "200.00")
    assert propose_disallowances(actor="maker", at=AT).clawbacks == 2
    assert propose_disallowances(actor="maker", at=AT).clawbacks == 0
    first, second = Clawback.objects.order_by("pk")
    assert (first.amount_fen, first.origin, first.document_number) == (30_000, "review", "函1")
    assert balances() == {"subsidy_applied": 4_000, "bank_advance": -4_000}
    clawbacks.decide(clawback_id=first.pk, accept=True, actor="checker", at=AT)
    clawbacks.decide(clawback_id=second.pk, accept=True, actor="checker", at=AT)
    payment = clawback_movements.Payment(AT.date(), 20_000, why="经办失误 / the bank's mistake")
    movement = clawback_movements.record_movement(
        clawback_id=second.pk, kind="written_off", payment=payment, actor="maker", at=AT
    )
    clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)
    assert balances() == {
        "subsidy_applied": 3_500, "bank_advance": -4_000, "clawback_receivable": 300,
        "disallowed": 200,
    }  # fmt: skip
    run()
    assert agrees()


def test_more_than_was_paid_in_the_month_is_told_and_proposes_nothing(small: SmallBook) -> None:
    review(small, "2026-02", "disallowed", "函1", "1000.01")
    review(small, "2026-06", "disallowed", "函2", "0.01")
    found = propose_disallowances(actor="maker", at=AT)
    assert (found.clawbacks, found.beyond_paid) == (0, ("函1 2026-02", "函2 2026-06"))
    assert not Clawback.objects.exists()


def test_answers_for_one_month_together_take_no_more_than_was_paid_in_it(small: SmallBook) -> None:
    for document, amount in (("函1", "800.00"), ("函2", "200.01"), ("函3", "200.00")):
        review(small, "2026-02", "disallowed", document, amount)
    found = propose_disallowances(actor="maker", at=AT)
    assert (found.clawbacks, found.beyond_paid) == (2, ("函2 2026-02",))
    assert proposals() == [("函1", 80_000, "proposed"), ("函3", 20_000, "proposed")]
    last = Clawback.objects.get(document_number="函3")
    clawbacks.decide(
        clawback_id=last.pk, accept=False, dismissed_why="财政撤回", actor="checker", at=AT
    )
    assert propose_disallowances(actor="maker", at=AT).beyond_paid == ("函2 2026-02",)
    review(small, "2026-02", "disallowed", "函4", "200.00")
    assert propose_disallowances(actor="maker", at=AT).clawbacks == 1


def test_what_staff_claim_already_stops_only_the_review_that_wants_it_too(small: SmallBook) -> None:
    whole = Claim(Note.objects.get(note_number="B").pk, Fund.objects.get().pk, 2026, 90_000)
    ground = Ground(origin="staff", origin_id=0, why="挪用 / misuse")
    clawbacks.propose(claim=whole, ground=ground, actor="maker", at=AT)
    review(small, "2026-02", "disallowed", "函1", "100.01", note="B")
    review(small, "2026-02", "disallowed", "函2", "100.00")
    found = propose_disallowances(actor="maker", at=AT)
    assert (found.clawbacks, found.beyond_paid) == (1, ("函1 2026-02",))
    assert proposals() == [("", 90_000, "proposed"), ("函2", 10_000, "proposed")]


def test_a_run_proposes_what_is_disallowed_once_it_is_paid_and_says_so(small: SmallBook) -> None:
    small.collect("A", 5)
    review(small, "2026-05", "disallowed", "函1", "300.00")
    review(small, "2026-06", "disallowed", "函2", "0.01")
    out = io.StringIO()
    call_command("run_deductions", institution=TREE[2][0], stdout=out)
    assert proposals() == []
    assert "clawbacks" not in out.getvalue()
    call_command("run_deductions", stdout=out)
    assert proposals() == [("函1", 30_000, "proposed")]
    assert "核减待决定 disallowances proposed as clawbacks: 1 笔" in out.getvalue()
    assert "not proposed: 函2 2026-06" in out.getvalue()
    assert balances() == {"subsidy_applied": 5_000, "bank_advance": -5_000}
    call_command("run_deductions", stdout=out)
    assert Clawback.objects.count() == 1
    assert agrees()


def proposals() -> list[tuple[str, int, str]]:
    rows = Clawback.objects.order_by("pk")
    return list(rows.values_list("document_number", "amount_fen", "state"))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_propose_a_disallowance_once(small: SmallBook) -> None:
    review(small, "2026-02", "disallowed", "函1", "300.00")
    gate = threading.Barrier(4)

    def propose(_: int) -> int:
        try:
            gate.wait()
            return propose_disallowances(actor="maker", at=AT).clawbacks
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(propose, range(4))) == [0, 0, 0, 1]
    assert proposals() == [("函1", 30_000, "proposed")]


def test_the_morning_task_proposes_what_was_disallowed(small: SmallBook) -> None:
    review(small, "2026-03", "disallowed", "函1", "200.00")
    tasks.propose_disallowances()
    tasks.propose_disallowances()
    assert Clawback.objects.values_list("amount_fen", flat=True).get() == 20_000
