"""Finance's monthly reviews: a rejection ends the subsidy, a disallowed amount is proposed back."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from settlement import tasks
from settlement.models import Clawback
from settlement.services import clawback_movements, clawbacks
from settlement.services.reviews import propose_disallowances
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, NORTH, SECOND, SmallBook, agrees
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


def review(book: SmallBook, month: str, result: str, document: str, amount: str = "") -> None:
    row = {
        "scheme_code": "test", "institution_code": NORTH, "note_number": "A", "month": month,
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


def test_running_deductions_proposes_what_was_disallowed(
    small: SmallBook, capsys: pytest.CaptureFixture[str]
) -> None:
    review(small, "2026-02", "disallowed", "函1", "300.00")
    review(small, "2026-06", "disallowed", "函2", "0.01")
    call_command("run_deductions")
    told = capsys.readouterr()
    assert told.out.splitlines()[-1].endswith("clawbacks proposed: 1")
    assert told.err.splitlines()[-1].endswith("left to claim back: 函2 2026-06")
    names = ("origin", "state", "amount_fen", "document_number", "made_by")
    assert Clawback.objects.values_list(*names).get() == (
        "review", "proposed", 30_000, "函1", "system",
    )  # fmt: skip


def test_the_morning_task_proposes_what_was_disallowed(small: SmallBook) -> None:
    review(small, "2026-03", "disallowed", "函1", "200.00")
    tasks.propose_disallowances()
    tasks.propose_disallowances()
    assert Clawback.objects.values_list("amount_fen", flat=True).get() == 20_000


def test_what_is_claimed_back_already_stops_no_other_review(small: SmallBook) -> None:
    review(small, "2026-02", "disallowed", "函1", "900.00")
    propose_disallowances(actor="maker", at=AT)
    for month, document in (("2026-03", "函2"), ("2026-04", "函3"), ("2026-02", "函4")):
        review(small, month, "disallowed", document, "1000.00")
    review(small, "2026-04", "disallowed", "函5", "50.00")
    found = propose_disallowances(actor="maker", at=AT)
    assert (found.clawbacks, found.beyond_paid) == (3, ("函4 2026-02",))
    claimed = Clawback.objects.order_by("pk").values_list("document_number", "amount_fen")
    assert list(claimed) == [("函1", 90_000), ("函2", 100_000), ("函3", 100_000), ("函5", 5_000)]
