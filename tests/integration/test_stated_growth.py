"""The growth of lending that a person states with an annual demand, and keeps until another is stated."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from loans.values.errors import DomainError
from reports.models import Report
from reports.services import asking, jobs
from settlement.services.assessments import assess_notes
from tests.integration.book import AT
from tests.integration.small_book import FIRST, SmallBook
from tests.integration.test_annual_demand import HEAD

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    settings.REPORTS_DIR = tmp_path / "store"
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    assess_notes(at=AT)
    return book


def coming(folder: Path, *arguments: str) -> str:
    """What the paper expects of lending to come."""
    options = ["--period", "2027", "--institution", HEAD, "--out", str(folder), *arguments]
    call_command("report", "annual-demand", *options, stdout=StringIO())
    with next(folder.glob("*2027.csv")).open(encoding="utf-8") as source:
        (row,) = csv.DictReader(source)
    return row["coming"]


def test_a_stated_growth_stays_until_another_is_stated(book: SmallBook, tmp_path: Path) -> None:
    as_before = coming(tmp_path / "1")
    grown = coming(tmp_path / "2", "--growth", "50")
    assert float(as_before) > 0
    assert round(float(grown) * 100) == round(float(as_before) * 150)
    assert coming(tmp_path / "3") == grown
    assert coming(tmp_path / "4", "--growth", "-100") == "0.00"
    assert coming(tmp_path / "5", "--growth", "0") == as_before
    stated = Report.objects.order_by("version").values_list("growth_ppm", flat=True)
    assert list(stated) == [None, 500_000, -1_000_000, 0]


def test_an_order_keeps_the_growth_it_states(book: SmallBook) -> None:
    run_id = jobs.order_report(
        code="annual-demand", period_code="2027", institution_code=HEAD, scheme_code=None,
        scope=(0, 2**63 - 1), actor="maker", at=AT, growth_ppm=250_000,
    )  # fmt: skip
    assert jobs.work_job(run_id=run_id, owner="test", clock=lambda: AT) == "done"
    assert Report.objects.get().growth_ppm == 250_000


@pytest.mark.parametrize(
    ("code", "growth", "told"),
    [("new-loans", "5", "只有 annual-demand"), ("annual-demand", "1000.0001", "1000 percent")],
)
def test_what_cannot_be_stated_is_refused(
    book: SmallBook, tmp_path: Path, code: str, growth: str, told: str
) -> None:
    options = [
        "--period",
        "2027",
        "--institution",
        HEAD,
        "--out",
        str(tmp_path),
        "--growth",
        growth,
    ]
    with pytest.raises(CommandError, match=told):
        call_command("report", code, *options)
    assert Report.objects.count() == 0


def test_growth_beyond_all_reason_is_refused_to_every_caller(book: SmallBook) -> None:
    with pytest.raises(DomainError, match="-100%"):
        asking.read(
            code="annual-demand", period_code="2027", institution_code=HEAD, scheme_code=None,
            growth_ppm=-1_000_001,
        )  # fmt: skip
