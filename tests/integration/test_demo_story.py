"""What the demo tells of the shipped sample happens, and leaves the sample's subsidies as they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from config.kernel.models import Institution
from loans.models import PreAllocation
from settlement.management import demo_story
from settlement.management.commands.demo import Command
from settlement.models import Clawback, Fund, PlannedDeduction
from settlement.selectors import balances
from settlement.services.verification import verify
from tests.integration.book import PORTFOLIO as SAMPLE
from tests.integration.book import exported, import_folder, load_shipped, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sample() -> None:
    """The sample with everything of 2026 posted."""
    load_shipped()
    import_folder(SAMPLE)
    run(date(2026, 12, 31))


def nets(folder: Path) -> list[tuple[str, ...]]:
    columns = ("scheme_code", "note_number", "collection_reference", "central", "provincial")
    columns += ("municipal", "product", "days", "cut_reasons")
    return sorted(tuple(row[name] for name in columns) for row in exported("deductions", folder))


def test_a_correction_is_owed_partly_received_and_brought_back(tmp_path: Path) -> None:
    before = nets(tmp_path)
    told = list(demo_story.correction(date(2026, 12, 31)))
    assert [line.split("元")[1].split(": ")[-1].strip() for line in (told[0], told[2])] == [
        "差额 differences 4 笔, -37,499.99",
        "差额 differences 4 笔, 37,499.99",
    ]
    owed = Clawback.objects.get(note__note_number=demo_story.NOTE)
    assert (owed.amount_fen, owed.received_fen, owed.offset_fen) == (
        3_749_999,
        1_874_999,
        1_875_000,
    )
    assert nets(tmp_path) == before
    assert verify().problems == []


def test_a_planned_day_is_reserved_and_voided(tmp_path: Path) -> None:
    before = nets(tmp_path)
    told = list(demo_story.planned_day())
    assert [len(told), told[0].count("10,863.77")] == [2, 1]
    assert [row.state for row in PlannedDeduction.objects.all()] == ["void"]
    assert set(Fund.objects.values_list("reserved_fen", flat=True)) == {0}
    assert nets(tmp_path) == before


def test_a_year_that_needs_nothing_is_paid_nothing_ahead() -> None:
    place = Institution.objects.get(code="C0001110000000").pk
    need = {"scheme_code": "central-sme-2026", "institution_id": place, "tier": "central", "fen": 1}
    needs = pl.DataFrame([need])
    for left in (needs, needs.clear()):
        Command()._pre_allocate(left, 2029)
    assert not PreAllocation.objects.exists()
    Command()._pre_allocate(needs.with_columns(fen=pl.lit(2)), 2029)
    assert list(PreAllocation.objects.values_list("amount_fen", flat=True)) == [1]


def test_ties_are_each_added_up_from_their_own_rows() -> None:
    paid = Fund.objects.values_list("subsidy_applied_fen", flat=True)
    found = [(one, other) for _, one, other in balances.ties()]
    assert [one == other for one, other in found] == [True, True, True]
    assert found[1][0] == sum(paid) > 0
    assert found[2] == (0, 0)
