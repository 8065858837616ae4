"""What was subsidised before the system took over is in the funds, and settled with its year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from settlement.models import Event, LedgerEntry, Scheme, TakenOver
from settlement.services import settlements, taken_over
from settlement.services.settlements import Ask
from settlement.services.verification import verify
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, NORTH, TREE, SmallBook
from tests.integration.test_postings import balances

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """One note, taken over on 2026-03-21: 500 yuan were subsidised before."""
    made = SmallBook(tmp_path)
    made.scheme()
    made.lend("A", FIRST)
    return made


def opened(book: SmallBook, amount: str, year: int = 2026, **fields: str) -> None:
    row = {
        "scheme_code": "test", "institution_code": NORTH, "note_number": "A", "tier": "municipal",
        "year": str(year), "amount": amount, "interest_paid": "9000.00", "paid_through": "2026-03-21",
    }  # fmt: skip
    book.enter("opening-positions", {**row, **fields})


def drafted(year: int | None = 2026) -> dict[str, int]:
    """What a settlement of the year would say, zeros left out."""
    bank = Institution.objects.get(code=TREE[0][0])
    made = settlements.draft(
        institution_id=bank.pk, scheme_id=Scheme.objects.get(code="test").pk, ask=Ask(year), needs={},
        actor="maker", at=AT,
    )  # fmt: skip
    if made is None:
        return {}
    (item,) = settlements.Settlement.objects.get(pk=made).items.all()
    names = ("used_fen", "adjusted_fen", "claimed_fen", "gap_fen", "surplus_fen")
    return {name: getattr(item, name) for name in names if getattr(item, name)}


def booked() -> list[tuple[int, int, int]]:
    return list(TakenOver.objects.order_by("pk").values_list("year", "sequence", "amount_fen"))


def test_it_is_booked_once_and_settled_with_its_year(book: SmallBook) -> None:
    opened(book, "500.00")
    book.collect("A", 4)
    assert verify().waiting_openings == 1
    for _ in range(2):
        run()
    assert booked() == [(2026, 0, 50_000)]
    entry = LedgerEntry.objects.get(event=Event.TAKEN_OVER)
    assert (entry.year, entry.month, entry.source) == (2026, None, "期初 opening 2026 #0")
    paid = -balances()["bank_advance"]
    assert balances() == {"subsidy_applied": paid, "bank_advance": -paid}
    assert paid > 500
    assert drafted() == dict.fromkeys(("used_fen", "claimed_fen", "gap_fen"), paid * 100)
    found = verify()
    assert (found.problems, found.waiting_openings) == ([], 0)


def test_without_a_collection_it_is_booked_too(book: SmallBook) -> None:
    opened(book, "500.00")
    run()
    assert balances() == {"subsidy_applied": 500, "bank_advance": -500}
    assert drafted() == {"used_fen": 50_000, "claimed_fen": 50_000, "gap_fen": 50_000}


def test_a_correction_is_a_difference(book: SmallBook) -> None:
    opened(book, "500.00")
    run()
    opened(book, "700.00")
    run()
    opened(book, "100.00")
    run()
    assert booked() == [(2026, 0, 50_000), (2026, 1, 20_000), (2026, 2, -60_000)]
    assert balances() == {"subsidy_applied": 100, "bank_advance": -100}
    assert drafted()["claimed_fen"] == 10_000
    opened(book, "0.00")
    run()
    assert balances() == {}
    assert verify().problems == []


def test_earlier_years_were_settled_before(book: SmallBook) -> None:
    opened(book, "300.00", year=2025, paid_through="2026-01-01")
    opened(book, "500.00")
    run()
    assert booked() == [(2026, 0, 50_000)]
    assert drafted()["used_fen"] == 50_000


def test_only_what_is_asked_for_is_booked(book: SmallBook) -> None:
    opened(book, "500.00")
    other = Institution.objects.get(code=TREE[2][0])
    nothing: dict[str, Any] = {"scope": (other.pk, other.last_id)}
    assert taken_over.book_taken_over(actor="system", at=AT, **nothing) == (0, 0)
    assert taken_over.book_taken_over(actor="system", at=AT, scheme="test") == (1, 0)
    assert booked() == [(2026, 0, 50_000)]


def test_a_row_without_its_entry_is_found(book: SmallBook) -> None:
    opened(book, "500.00")
    run()
    row = TakenOver.objects.get()
    TakenOver.objects.create(
        institution_id=row.institution_id, fund_id=row.fund_id, year=2026, sequence=1, amount_fen=7,
        posted_on=row.posted_on, actor="system",
    )  # fmt: skip
    (problem,) = verify().problems
    assert problem.startswith("期初入账与分录不符")
    assert problem.endswith(" 2026: 7 ≠ 0")
