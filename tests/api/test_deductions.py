"""Postings over REST: which there are, what they add up to, and how each came about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from settlement.models import Deduction
from tests import database
from tests.api.machine import Machine, department
from tests.integration.book import run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, TREE, SmallBook

pytestmark = pytest.mark.django_db

BANK, OTHER = TREE[0][0], TREE[2][0]


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two banks' notes, collections posted in two runs, one redone since a repayment came late."""
    found = SmallBook(tmp_path)
    found.scheme()
    found.lend("A", FIRST)
    found.lend("B", SECOND, at=SOUTH)
    found.collect("A", 2)
    found.collect("B", 2, at=SOUTH)
    run()
    found.repay("A", "2026-02-06", 1_800_000)
    found.collect("A", 3)
    run()
    return found


@pytest.fixture
def core(book: SmallBook) -> Machine:
    return Machine("core", Institution.objects.get(code=NORTH))


def get(machine: Machine, path: str, query: str = "") -> Any:
    with database.as_role("app"):
        return machine.get(path, query)


def listed(machine: Machine, query: str = "") -> list[tuple[str, int, str]]:
    answer = get(machine, "deductions/", query)
    assert answer.status_code == 200, answer.content
    rows = answer.json()["results"]
    return [(one["collection_reference"], one["sequence"], one["total"]) for one in rows]


def test_a_posting_says_all_that_an_export_does(core: Machine) -> None:
    row = Deduction.objects.get(collection__reference="A-2", sequence=0)
    body = get(core, f"deductions/{row.pk}/").json()
    assert body == {
        "id": row.pk, "scheme_code": "test", "institution_code": NORTH, "uscc": FIRST,
        "contract_number": "A", "note_number": "A", "collection_reference": "A-2",
        "collected_on": "2026-02-11", "period_start": "2026-02-01", "period_end": "2026-02-11",
        "sequence": 0, "posted_on": row.posted_on.isoformat(), "run": row.run_id,
        "scheme_version": 1, "days": 10, "product": "36000000.00", "raw_central": "0.00",
        "raw_provincial": "0.00", "raw_municipal": "1000.00", "central": "0.00",
        "provincial": "0.00", "municipal": "1000.00", "total": "1000.00", "cut_reasons": [],
        "why": "",
        "net": {"last_sequence": 1, "central": "0.00", "provincial": "0.00",
                "municipal": "750.00", "total": "750.00"},
    }  # fmt: skip
    later = Deduction.objects.get(collection__reference="A-2", sequence=1)
    told = get(core, f"deductions/{later.pk}/").json()
    changes = (told["sequence"], told["total"], told["product"], told["raw_municipal"])
    assert changes == (1, "-250.00", "27000000.00", "750.00")
    assert told["why"]
    assert told["net"] == body["net"]


def test_postings_are_chosen(core: Machine) -> None:
    three = [("A-3", 0, "500.00"), ("A-2", 1, "-250.00"), ("A-2", 0, "1000.00")]
    assert listed(core) == three
    last = Deduction.objects.get(collection__reference="A-3").run_id
    for query, found in (
        ("?collected_from=2026-03-01", three[:1]),
        ("?collected_from=2026-02-11&collected_to=2026-02-11", three[1:]),
        ("?note_number=A", three),
        (f"?note_number=A&uscc={SECOND}", []),
        (f"?uscc={FIRST}", three),
        (f"?uscc={SECOND}", []),
        (f"?run={last}", three[:2]),
        ("?scheme_code=test", three),
        ("?scheme_code=other", []),
        (f"?institution_code={NORTH}", three),
        (f"?institution_code={SOUTH}", []),
    ):
        assert listed(core, query) == found, query
    for wrong, pointer in (
        ("?collected_from=2026-2-1", "collected_from"),
        ("?run=x", "run"),
        ("?note=A", "note"),
        ("?note_number=A&note_number=B", "note_number"),
    ):
        answer = get(core, "deductions/", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_pages_go_through_all_of_several_banks(book: SmallBook) -> None:
    banks = [Institution.objects.get(code=code) for code in (BANK, OTHER)]
    finance = Machine("finance", department("F1", *banks, schemes=("test",)))
    expected = [*Deduction.objects.order_by("-pk").values_list("pk", flat=True)]
    seen: list[int] = []
    query = "?page_size=1"
    while query:
        body = get(finance, "deductions/", query).json()
        (row,) = body["results"]
        seen.append(row["id"])
        query = "?" + body["next"].partition("?")[2] if body["next"] else ""
    assert (seen, len(seen)) == (expected, 4)
    assert len(listed(finance, "?note_number=B")) == 1


def test_others_see_nothing_of_it(book: SmallBook, core: Machine) -> None:
    row = Deduction.objects.get(collection__reference="A-2", sequence=0)
    other = Machine("other", Institution.objects.get(code=OTHER))
    bank = Institution.objects.get(code=BANK)
    finance = Machine("finance", department("F1", bank, schemes=("another",)))
    assert (listed(other), listed(finance)) == ([("B-2", 0, "1000.00")], [])
    for machine in (other, finance):
        for path in (f"deductions/{row.pk}/", f"deductions/{row.pk}/explanation/"):
            assert get(machine, path).status_code == 404
    blind = Machine("blind", bank, scopes=["jobs:read"])
    for path in ("deductions/", f"deductions/{row.pk}/", f"deductions/{row.pk}/explanation/"):
        assert get(blind, path).json()["code"] == "not_permitted"


def test_a_deduction_is_explained_in_steps_that_can_be_redone(core: Machine) -> None:
    row = Deduction.objects.get(collection__reference="A-2", sequence=1)
    body = get(core, f"deductions/{row.pk}/explanation/").json()
    assert (body["is_current"], body["agrees"]) == (True, True)
    assert body["title"].startswith("收息 A-2 × test 试验 / collection A-2 × test Test")
    assert (body["scheme"]["code"], body["scheme"]["version"]) == ("test", 1)
    assert body["collection"] == {
        "reference": "A-2", "collected_on": "2026-02-11", "period_start": "2026-02-01",
        "period_end": "2026-02-11", "interest_due": "3000.00", "interest_paid": "3000.00",
    }  # fmt: skip
    steps = {one["step"]: one for one in body["steps"]}
    assert {name: one["result"] for name, one in steps.items()} == {
        "product": "27000000.00",
        "whole_period": "750",
        "earned": "750.00",
        "limits": "750.00",
        "granted": "750.00",
        "posted": "750.00",
    }
    assert [
        (one["from"], one["to"], one["base"], one["days"]) for one in steps["product"]["lines"]
    ] == [
        ("2026-02-01", "2026-02-06", "3600000.00", 5),
        ("2026-02-06", "2026-02-11", "1800000.00", 5),
    ]
    (whole,) = steps["whole_period"]["lines"]
    assert (whole["tier"], whole["rates"], whole["fen_exact"]) == (
        "municipal",
        [{"rate_percent": "1.00", "product": "27000000.00"}],
        "75000/1",
    )
    assert steps["limits"]["lines"] == [
        {"rule": "interest_ceiling", "limit": "3000.00", "used": "0.00", "room": "3000.00",
         "before": "750.00", "after": "750.00"}
    ]  # fmt: skip
    assert [(one["sequence"], one["municipal"]) for one in steps["posted"]["lines"]] == [
        (0, "1000.00"),
        (1, "-250.00"),
    ]
    keys = {source["key"] for one in body["steps"] for source in one["sources"]}
    assert {"D2", "rate.method", "D7", "D10"} <= keys


def test_a_fact_told_since_is_said_beside_the_working(core: Machine, book: SmallBook) -> None:
    row = Deduction.objects.get(collection__reference="A-3")
    book.repay("A", "2026-03-06", 900_000)
    body = get(core, f"deductions/{row.pk}/explanation/").json()
    assert (body["is_current"], body["agrees"]) == (False, False)
