"""One pre-allocation told by itself becomes just what it becomes in a list of one."""

from __future__ import annotations

import inspect
import threading
from contextlib import contextmanager

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections, transaction
from django.utils import timezone
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled

from config.kernel.models import Institution
from config.kernel.services import bulk
from loans.files.kinds import KINDS
from loans.services import intake, one_pre_allocation
from loans.services.labels import register_label
from loans.services.targets import TARGETS
from settlement.models import LedgerEntry, SchemeVersion
from settlement.services import province_events, schemes
from settlement.services.verification import verify
from tests import database
from tests.api.machine import Machine, department
from tests.api.treasury import ELSEWHERE, HEAD, Treasury, key, paid
from tests.integration.book import AT
from tests.integration.small_book import NORTH, SOUTH

pytestmark = pytest.mark.django_db
TABLES = ("loans_importbatch", "loans_preallocation", "settlement_fund", "settlement_receipt",
          "settlement_ledgerentry", "settlement_ledgerline", "kernel_outboxevent")  # fmt: skip
POINTS = {
    "batch_id": "loans_importbatch",
    "pre_allocation_id": "loans_preallocation",
    "fund_id": "settlement_fund",
    "entry_id": "settlement_ledgerentry",
    "source_id": "loans_preallocation",  # of what these tests post
}
DIGESTS = {"id", "xid", "chain"}  # `verify` adds the chain up again


@pytest.fixture(autouse=True)
def moment(monkeypatch):
    """Both ways at one moment."""
    monkeypatch.setattr(timezone, "now", lambda: AT)


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
    """All rows of these tables; what points at a row says which of its table it is."""
    found, places = {}, {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            places[table] = {row["id"]: place for place, row in enumerate(rows)}
            for name in POINTS.keys() & set(names):
                for row in rows:
                    row[name] = places[POINTS[name]].get(row[name])
            found[table] = [
                {name: row[name] for name in names if name not in DIGESTS} for row in rows
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
    assert len(alone[1]["settlement_receipt"]) == checks
    assert asked_of_files == ["pre-allocations"]  # the list; the other took the short way
    told(treasury.finance, body, as_role)
    assert verify().problems == []


@pytest.mark.parametrize("checks", [True, False])
def test_a_scheme_that_holds(tmp_path, as_role, settings, asked_of_files, undoing, checks):
    settings.AUTO_CHECK = checks
    treasury = Treasury(tmp_path, shortfall="hold")
    treasury.lent()
    asked_of_files.clear()
    alone, listed = both_ways(treasury.finance, paid("500.00", "甲1"), as_role, undoing)
    assert (alone, alone[0][0]) == (listed, 201)
    assert asked_of_files == ["pre-allocations"]


@pytest.mark.parametrize("changes", [{}, {"purpose": "guarantee_fee"}])
def test_a_settled_year_is_over(treasury, as_role, asked_of_files, undoing, changes):
    told(treasury.finance, paid("7.00", "甲0"), as_role)
    bulk.rows("SELECT settlement_close_year(%s, 2026::smallint)", [treasury.fund().pk])
    alone, listed = both_ways(treasury.finance, paid("5.00", "甲1", **changes), as_role, undoing)
    assert (alone, alone[0][0]) == (listed, 201)
    assert alone[1]["settlement_ledgerentry"][-1]["year"] == 2027
    assert asked_of_files == ["pre-allocations"]


def test_a_scheme_without_terms_goes_the_way_of_files(treasury, as_role, asked_of_files, undoing):
    register_label(code="bare", name="无规则")
    machine = Machine("bare", department("F9", treasury.head, schemes=("bare",)))
    body = paid("5.00", "甲1", scheme_code="bare")
    alone, listed = both_ways(machine, body, as_role, undoing)
    assert alone == listed
    assert asked_of_files == ["pre-allocations"] * 2


def test_a_new_version_holds_from_the_moment_it_is_checked(treasury, as_role, undoing):
    text = SchemeVersion.objects.get(scheme__code="test").text
    new = text.replace("tiers.municipal", "tiers.provincial")
    assert new != text
    body = paid("5.00", "甲1")
    with undoing():
        schemes.propose_version(content=new.encode(), name="t", actor="x", at=AT)
        alone, listed = both_ways(treasury.finance, body, as_role, undoing)
        assert (alone, alone[0][0]) == (listed, 201)
        SchemeVersion.objects.filter(scheme__code="test", version=2).update(checked_by="y")
        alone, listed = both_ways(treasury.finance, body, as_role, undoing)
        assert (alone, alone[0][0]) == (listed, 422)
    alone, listed = both_ways(treasury.finance, body, as_role, undoing)
    assert (alone, alone[0][0]) == (listed, 201)


def test_a_department_of_several_banks(treasury, as_role, undoing):
    branch = Institution.objects.get(code=NORTH)
    office = department("F3", branch, treasury.head, treasury.away, schemes=("test",))
    machine = Machine("office", office)
    for code, status in (
        (NORTH, 201),
        (HEAD, 201),
        (ELSEWHERE, 201),
        (SOUTH, 201),
        ("X" * 14, 422),
    ):
        body = paid("5.00", "甲1", institution_code=code)
        alone, listed = both_ways(machine, body, as_role, undoing)
        assert (alone, alone[0][0]) == (listed, status)
        if status == 201:
            assert alone[0][1]["items"] == [{"state": "booked"}]


def test_a_department_of_none(treasury, as_role, undoing):
    machine = Machine("none", department("F4", schemes=("test",)))
    alone, listed = both_ways(machine, paid("5.00", "甲1"), as_role, undoing)
    assert (alone, alone[0][0]) == (listed, 422)
    with as_role("app"):
        assert machine.get("pre-allocations/").json()["results"] == []


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


@pytest.mark.parametrize("cause", [DeadlockDetected, QueryCanceled, LockNotAvailable])
def test_a_wait_that_was_ended_is_told_alike(treasury, as_role, undoing, monkeypatch, cause):
    def ended(**_):
        raise OperationalError from cause()

    monkeypatch.setattr(one_pre_allocation, "take", ended)
    monkeypatch.setattr(intake, "import_frame", ended)
    alone, listed = both_ways(treasury.finance, paid("5.00", "甲1"), as_role, undoing)
    assert alone == listed
    assert (alone[0][0], alone[0][1]["code"]) == (409, "busy")


@pytest.mark.django_db(transaction=True)
def test_one_document_under_several_keys_at_once(tmp_path):
    """One is stored; who comes second is told `busy` or what is stored; others go on beside them."""
    treasury = Treasury(tmp_path)
    codes = set()
    with database.web_connections():
        for turn in range(4):
            found = at_once(treasury.finance, turn)
            codes |= {code for status, code in found[:3] if status != 201}
            assert [status for status, _ in found[:3]].count(201) == 1, found
            assert [status for status, _ in found[3:]] == [201] * 3, found
            again = treasury.finance.post("pre-allocations/", paid("1.00", f"甲{turn}"), key=key())
            assert (again.status_code, again.json()["code"]) == (409, "row_known")
    assert codes <= {"busy", "row_known"}
    assert verify().problems == []
    counted = "SELECT (SELECT count(*) FROM loans_preallocation), (SELECT count(*) FROM settlement_receipt)"
    assert bulk.rows(counted) == [(16, 16)]
    assert bulk.rows("SELECT count(*) FROM loans_importbatch WHERE kind = 'pre-allocations'") == [
        (16,)
    ]


def at_once(machine, turn):
    """One document by itself twice and in a list, two others by themselves, and one taken back."""
    found, start = {}, threading.Barrier(6)

    def go(number):
        start.wait()
        body = paid(
            "-0.01" if number == 5 else "1.00", f"乙{turn}{number}" if number > 2 else f"甲{turn}"
        )
        answer = machine.post("pre-allocations/", [body] if number == 2 else body, key=key())
        found[number] = answer.status_code, answer.json().get("code")
        connections.close_all()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[number] for number in range(6)]


def test_the_short_way_knows_all_that_files_do():
    """What is added to the kind or its target has to be added there as well."""
    kind, target = KINDS["pre-allocations"], TARGETS["pre-allocations"]
    assert {column.key for column in kind.columns} == {
        "scheme_code", "institution_code", "tier", "received_on", "amount", "document_number", "purpose",
    }  # fmt: skip
    assert kind.checks == ()
    assert (target.checks, target.touches, target.also_writes, target.is_signed) == (
        (),
        (),
        (),
        False,
    )
    assert "pre-allocations" not in inspect.getsource(province_events)


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
