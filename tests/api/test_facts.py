"""Facts posted by bank cores: one or many, all or nothing, strict to the letter."""

from __future__ import annotations

import pytest

from loans.models import ImportBatch, Note, Repayment
from tests.api.machine import Machine
from tests.integration import rows
from tests.integration.rows import NANJING

pytestmark = pytest.mark.django_db


@pytest.fixture
def banks():
    found = rows.institutions()
    rows.whole_book(found[NANJING])
    return found


def repayment(number: int, note: str) -> dict[str, str]:
    return {
        "institution_code": NANJING,
        "note_number": note,
        "repaid_on": "2026-03-21",
        "amount": "100.00",
        "reference": f"R{number:06d}",
    }


@pytest.fixture
def note(banks):
    return Note.objects.get(institution=banks[NANJING]).note_number


def test_a_repayment_is_stored_once(banks, note, as_role):
    core = Machine("core", banks[NANJING])
    before = Repayment.objects.count()
    with as_role("app"):
        first = core.post("repayments/", repayment(1, note))
        again = core.post("repayments/", repayment(1, note))
    batch = ImportBatch.objects.latest("pk")
    told = {"kind": "repayments", "received": 1, "corrected": 0}
    assert (first.status_code, first.json()) == (
        201,
        {**told, "stored": 1, "unchanged": 0, "batch": batch.pk},
    )
    assert (again.status_code, again.json()) == (
        200,
        {**told, "stored": 0, "unchanged": 1, "batch": None},
    )
    assert Repayment.objects.count() == before + 1
    assert (batch.actor, batch.institution_id) == ("api:core", banks[NANJING].pk)
