"""Months of subsidies as the database adds them up: with every run, and again by `verify`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from config.kernel.models import Institution
from settlement.models import MonthlySubsidy, Scheme
from settlement.selectors.fund_use import NoteMonth, note_months
from settlement.services.verification import verify
from tests.integration.book import run
from tests.integration.small_book import FIRST, NORTH, SmallBook, agrees

pytestmark = pytest.mark.django_db

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """A note with subsidies of 1,000 yuan in February and in March."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.collect("A", 2)
    book.collect("A", 3)
    run()
    return book


def test_a_run_and_its_differences_add_to_the_months(small: SmallBook) -> None:
    assert note_months() == [
        NoteMonth("test", FEBRUARY, 100_000),
        NoteMonth("test", MARCH, 100_000),
    ]
    small.repay("A", "2026-02-15", 1_800_000)
    run()
    assert note_months() == [
        NoteMonth("test", FEBRUARY, 100_000),
        NoteMonth("test", MARCH, 50_000),
    ]
    rows = MonthlySubsidy.objects.order_by("pk").values_list("month", "municipal_fen")
    assert sorted(rows[:2]) == [(FEBRUARY, 100_000), (MARCH, 100_000)]
    assert (MARCH, -50_000) in list(rows[2:])
    assert agrees()


def test_verify_adds_the_months_up_again(small: SmallBook) -> None:
    assert agrees()
    place = Institution.objects.get(code=NORTH)
    scheme = Scheme.objects.get(code="test")
    MonthlySubsidy.objects.create(
        institution=place, scheme=scheme, month=MARCH, central_fen=1, provincial_fen=0,
        municipal_fen=0,
    )  # fmt: skip
    assert verify().problems == [
        "各月贴息汇总与明细不符 / a month's sums differ from its deductions: "
        f"{place.pk}/{scheme.pk} 2026-03"
    ]


def test_a_month_is_known_by_its_first_day(small: SmallBook) -> None:
    before = list(MonthlySubsidy.objects.values())
    with pytest.raises(IntegrityError, match="month_is_a_first_day"), transaction.atomic():
        MonthlySubsidy.objects.create(
            institution=Institution.objects.get(code=NORTH), scheme=Scheme.objects.get(),
            month=date(2026, 3, 2), central_fen=1, provincial_fen=0, municipal_fen=0,
        )  # fmt: skip
    assert list(MonthlySubsidy.objects.values()) == before
