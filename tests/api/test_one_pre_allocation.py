"""One pre-allocation told by itself becomes just what it becomes in a list of one."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import ProgrammingError, connection, transaction

from config.kernel.models import Institution
from loans.services import intake
from settlement.models import LedgerEntry
from settlement.services.verification import verify
from tests.api.machine import Machine, department
from tests.api.treasury import ELSEWHERE, HEAD, Treasury, key, paid
from tests.integration.small_book import NORTH

pytestmark = pytest.mark.django_db
TABLES = ("loans_preallocation", "loans_importbatch", "settlement_receipt", "settlement_ledgerentry",
          "settlement_ledgerline", "settlement_fund", "kernel_outboxevent")  # fmt: skip
NUMBERS = {"id", "batch_id", "pre_allocation_id", "entry_id", "fund_id", "source_id"}
MOMENTS = {"at", "made_at", "checked_at", "chain"}


@pytest.fixture
def treasury(tmp_path):
    return Treasury(tmp_path)


@pytest.fixture
def asked_of_files(monkeypatch):
    """How often something went the way of files."""
    asked, way = [], intake.import_frame

    def counted(**told):
        asked.append(told["kind"])
        return way(**told)

    monkeypatch.setattr(intake, "import_frame", counted)
    return asked


def stored() -> dict[str, list]:
    """All rows of these tables, but for what is numbered or timed."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column.name for column in cursor.description]
            kept = [name not in NUMBERS | MOMENTS for name in names]
            found[table] = [
                [value for value, is_kept in zip(row, kept, strict=True) if is_kept]
                for row in cursor.fetchall()
            ]
    return found


def told(machine, body, as_role):
    with as_role("app"):
        answer = machine.post("pre-allocations/", body, key=key())
    found = answer.json()
    for name in ("batch", "instance"):
        found.pop(name, None)
    for item in found.get("items", []):
        item.pop("id")
    for fault in found.get("errors", []):
        fault["pointer"] = fault["pointer"].removeprefix("/0")
    return answer.status_code, found


def both_ways(machine, body, as_role, undoing):
    """What is answered and what is stored, told by itself and as a list."""
    found = []
    for form in (body, [body]):
        with undoing():
            found.append((told(machine, form, as_role), stored()))
    return found


@pytest.fixture
def undoing():
    @contextmanager
    def undone():
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return undone


ORDINARY = [
    {},
    {"purpose": "interest"},
    {"amount": "99999999999.99"},
    {"received_on": "2025-12-31"},
    {"document_number": "财金〔2026〕1号"},
    {"institution_code": NORTH},
]
# With how often files are asked: what is written wrongly, and another department's scheme, never get there.
OTHER = [
    ({"amount": "-1.00"}, 2),
    ({"tier": "central"}, 2),
    ({"scheme_code": "nothing"}, 0),
    ({"institution_code": ELSEWHERE}, 2),
    ({"received_on": "2026-02-30"}, 0),
    ({"document_number": "甲0"}, 2),
    ({"document_number": "甲0", "amount": "5.00"}, 2),
]


@pytest.mark.parametrize("checks", [True, False])
@pytest.mark.parametrize("changes", ORDINARY)
def test_what_is_ordinary(treasury, as_role, settings, asked_of_files, undoing, changes, checks):
    settings.AUTO_CHECK = checks
    body = paid("12.34", "甲1", **changes)
    alone, listed = both_ways(treasury.finance, body, as_role, undoing)
    assert alone == listed
    assert alone[0][0] == 201
    assert asked_of_files == ["pre-allocations"]  # the list; the other took the short way


@pytest.mark.parametrize(("changes", "asked"), OTHER)
def test_what_is_not_goes_the_way_of_files(
    treasury, as_role, asked_of_files, undoing, changes, asked
):
    told(treasury.finance, paid("7.00", "甲0"), as_role)
    assert asked_of_files == []
    body = paid("7.00", "甲1", **changes)
    alone, listed = both_ways(treasury.finance, body, as_role, undoing)
    assert alone == listed
    assert len(asked_of_files) == asked


def test_what_a_fund_owes_the_bank_is_repaid_first(treasury, as_role, asked_of_files, undoing):
    treasury.lent()
    asked_of_files.clear()
    told(treasury.finance, paid("1.00", "甲0"), as_role)
    assert treasury.fund().bank_advance_fen == -199_900
    alone, listed = both_ways(treasury.finance, paid("900.00", "甲1"), as_role, undoing)
    assert alone == listed
    told(treasury.finance, paid("900.00", "甲1"), as_role)
    events = list(LedgerEntry.objects.order_by("pk").values_list("event", flat=True))
    assert events[-2:] == ["pre_allocation", "advance_repaid"]
    assert treasury.fund().bank_advance_fen == -109_900
    assert asked_of_files == ["pre-allocations"]
    assert verify().problems == []


def test_where_the_fund_is_an_institutions_above_it_waits(
    treasury, as_role, asked_of_files, undoing
):
    branch = Institution.objects.get(code=NORTH)
    city = Machine("city", department("F2", branch, schemes=("test",)))
    body = paid("9.00", "甲1", institution_code=NORTH)
    alone, listed = both_ways(city, body, as_role, undoing)
    assert alone == listed
    assert alone[0][1]["items"] == [{"state": "waiting"}]
    assert asked_of_files == ["pre-allocations"]


def test_the_database_keeps_it_from_other_institutions(treasury, as_role):
    """The function of the database runs with the rights and rows of whoever calls it."""
    with as_role("app"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.lo', '0', true), set_config('app.hi', '0', true)")
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            cursor.execute(
                "SELECT * FROM loans_take_pre_allocation(1, 1, 0, 9223372036854775807, 'test', %s,"
                " 'municipal', 'interest', '2026-01-04', 100, '甲1', '', 'x', now())",
                [HEAD],
            )
        place = treasury.head.pk
        with pytest.raises(ProgrammingError, match="outside the scope"), transaction.atomic():
            cursor.execute(
                "SELECT * FROM settlement_paying_fund(%s, 0, 9223372036854775807, 'headquarters',"
                " 1::smallint, 'municipal', 'interest')",
                [place],
            )
