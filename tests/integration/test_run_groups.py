"""Which enterprises a change concerns, and that no other is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from loans.models import InterestCollection
from settlement.models import Deduction, Enrolment
from tests.integration.book import PORTFOLIO, import_folder, import_rows, load_shipped, run
from tests.integration.small_book import (
    FIRST,
    NORTH,
    SECOND,
    SOUTH,
    THIRD,
    SmallBook,
    agrees,
    capped,
    told,
    touched,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    return SmallBook(tmp_path)


def test_a_late_repayment_looks_at_its_group_only(small: SmallBook) -> None:
    small.scheme(more=capped("project", 1500))
    small.project("P")
    small.lend("A", FIRST, project="P")
    small.lend("B", SECOND, project="P", at=SOUTH)
    small.lend("C", THIRD)
    for number, at in (("A", NORTH), ("B", SOUTH), ("C", NORTH)):
        small.collect(number, 2, at=at)
    run()
    assert small.net() == {"A-2": 1000, "B-2": 500, "C-2": 1000}
    before = told()
    small.repay("A", "2026-02-01", 1_800_000)
    assert touched(before) == {FIRST}
    assert agrees(waiting=2)
    assert run()["collections"] == 2
    assert small.net() == {"A-2": 500, "B-2": 1000, "C-2": 1000}
    small.repay("A", "2026-02-01", -1_800_000)
    run()
    assert small.net() == {"A-2": 1000, "B-2": 500, "C-2": 1000}
    assert agrees()


@pytest.fixture
def projects(small: SmallBook) -> SmallBook:
    """First and second share project P under a cap of 1,500 a year, third has Q to itself."""
    small.scheme(more=capped("project", 1500))
    small.project("P")
    small.project("Q", THIRD)
    small.lend("A", FIRST, project="P")
    small.lend("B", SECOND, project="P")
    small.lend("C", THIRD, project="Q")
    for number, month in (("A", 2), ("B", 3), ("C", 4)):
        small.collect(number, month)
    run()
    assert small.net() == {"A-2": 1000, "B-3": 500, "C-4": 1000}
    return small


@pytest.mark.parametrize(
    ("correct", "looks_at", "net"),
    [
        (lambda b: b.contract("B", SECOND, project="Q"), 3, {"A-2": 1000, "B-3": 1000, "C-4": 500}),
        (lambda b: b.contract("B", SECOND), 2, {"A-2": 1000, "B-3": 1000, "C-4": 1000}),
        (lambda b: b.contract("A", FIRST, project="Q"), 3, {"A-2": 1000, "B-3": 1000, "C-4": 500}),
        (lambda b: b.contract("B", THIRD, project="P"), 3, {"A-2": 1000, "B-3": 500, "C-4": 1000}),
        (lambda b: b.contract("C", THIRD, project="P"), 3, {"A-2": 1000, "B-3": 500, "C-4": 0}),
    ],
    ids=["to another project", "to none", "the first of two", "to another enterprise", "a third joins"],
)  # fmt: skip
def test_a_corrected_contract_looks_at_old_and_new_companions(
    projects: SmallBook, correct: Callable[[SmallBook], None], looks_at: int, net: dict[str, int]
) -> None:
    correct(projects)
    assert run()["collections"] == looks_at
    assert projects.net() == net
    assert agrees()
    projects.contract("A", FIRST, project="P")
    projects.contract("B", SECOND, project="P")
    projects.contract("C", THIRD, project="Q")
    run()
    assert projects.net() == {"A-2": 1000, "B-3": 500, "C-4": 1000}
    assert agrees()


def enrolled() -> dict[tuple[str, str, str], tuple[object, ...]]:
    columns = ("status", "reasons", "eligible_fen", "commitment_fen", "tiers_off", "lpr_ppm")
    rows = Enrolment.objects.values_list(
        "note__origin__code",
        "note__note_number",
        "scheme_code",
        "note__contract__enterprise__uscc",
        *columns,
    )
    return {(*row[:3], row[3]): tuple(map(str, row[4:])) for row in rows}  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("participations", {"scheme_code": "jiangsu-manufacturing-2026", "institution_code": "C0001110000000",
                            "valid_from": "2026-01-01", "valid_to": "2026-12-31"}),
        ("participations", {"scheme_code": "central-sme-2026", "institution_code": "C0021110000002",
                            "valid_from": "2026-01-01", "valid_to": "2026-06-30"}),
        ("lpr", {"published_on": "2026-05-20", "one_year": "2.00", "five_year": "2.50"}),
        ("scheme-funds", {"scheme_code": "jiangsu-sports-2026", "year": "2026", "amount": "1840000.00"}),
    ],
    ids=["participation added", "participation ended", "lpr", "fund"],
)  # fmt: skip
def test_what_all_are_judged_by_touches_only_whose_judgement_changed(
    tmp_path: Path, kind: str, row: dict[str, str]
) -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run()
    before, versions, postings = enrolled(), told(), Deduction.objects.count()
    import_rows(kind, [row], tmp_path)
    assert touched(versions) == set()
    counts = run()
    changed = {key[3] for key, judged in enrolled().items() if judged != before[key]}
    assert touched(versions) == changed
    assert 0 < len(changed) < 25
    assert (
        counts["collections"]
        == InterestCollection.objects.filter(
            note__contract__enterprise__uscc__in=changed, interest_paid_fen__isnull=False
        ).count()
    )
    assert (
        Deduction.objects.count()
        == postings + counts["originals"] + counts["differences"]
        > postings
    )
    assert agrees()


# ---- funds shared in proportion


@pytest.fixture
def sharing(small: SmallBook) -> SmallBook:
    """Two enterprises share 1,500 yuan; a third is under another scheme."""
    small.scheme(fund="pro_rata")
    small.scheme(code="other")
    small.fund(1500)
    small.lend("A", FIRST)
    small.lend("B", SECOND)
    small.lend("C", THIRD, schemes="other")
    for number, month in (("A", 2), ("B", 3), ("C", 12)):
        small.collect(number, month)
    run()
    assert small.net() == {"A-2": 750, "B-3": 750, "C-12": 1000}
    return small


def test_a_changed_fund_is_shared_anew(sharing: SmallBook) -> None:
    sharing.fund(1600)
    assert agrees(waiting=3)
    run()
    assert sharing.net() == {"A-2": 800, "B-3": 800, "C-12": 1000}
    sharing.fund(2500)
    run()
    assert sharing.net() == {"A-2": 1000, "B-3": 1000, "C-12": 1000}
    assert agrees()
    assert run() == {}


def test_what_a_dropped_label_leaves_goes_to_the_others(sharing: SmallBook) -> None:
    sharing.note("B", schemes="other")
    run()
    assert sharing.net() == {"A-2": 1000, "B-3": 1000, "C-12": 1000}
    assert agrees()
    sharing.note("B", schemes="test")
    run()
    assert sharing.net() == {"A-2": 750, "B-3": 750, "C-12": 1000}
    assert agrees()


def test_a_share_does_not_depend_on_how_far_others_in_the_chunk_are(small: SmallBook) -> None:
    """Through March, what April takes from the fund is not known yet, whoever else is in December."""
    small.scheme(fund="pro_rata")
    small.scheme(code="other")
    small.fund(1500)
    for number, uscc, label in (("A", FIRST, "test"), ("B", SECOND, "test"), ("C", THIRD, "other")):
        small.lend(number, uscc, schemes=label)
    small.collect("C", 12)
    run()
    small.collect("A", 2)
    small.collect("B", 4)
    small.repay("C", "2026-12-31", 1)
    run(through=date(2026, 3, 31))
    assert small.net() == {"A-2": 1000, "C-12": 1000}
    assert agrees()
    run()
    assert small.net() == {"A-2": 750, "B-4": 750, "C-12": 1000}
    assert agrees()
