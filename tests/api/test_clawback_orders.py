"""What finance demands back: proposed, within what was paid, decided by the bank."""

from __future__ import annotations

import pytest

from loans.values.errors import DomainError
from settlement.models import Clawback
from settlement.services import clawbacks
from tests.api.machine import Machine
from tests.api.test_decisions import refused
from tests.api.treasury import Treasury, key
from tests.integration.book import AT
from tests.integration.samples import state
from tests.integration.small_book import NORTH, SOUTH

pytestmark = pytest.mark.django_db

PATH = "clawback-orders/"


@pytest.fixture
def treasury(tmp_path):
    made = Treasury(tmp_path)
    made.lent()
    return made


def order(amount: str = "1500.00", document: str = "财监1号", **changes) -> dict:
    return {
        "institution_code": NORTH,
        "note_number": "A",
        "scheme_code": "test",
        "tier": "municipal",
        "year": 2026,
        "amount": amount,
        "reason": "贷款用途不符",
        "document_number": document,
        **changes,
    }


def test_it_waits_for_the_banks_second_person(treasury, as_role):
    name = key()
    with as_role("app"):
        first = treasury.finance.post(PATH, order(), key=name)
        again = treasury.finance.post(PATH, order(), key=name)
    made = Clawback.objects.get()
    told = first.json()
    moments = {"ordered_at": told["ordered_at"], "decided_at": None}
    assert (first.status_code, told) == (
        201,
        {
            "id": made.pk,
            "institution_code": NORTH,
            "note_number": "A",
            "scheme_code": "test",
            "tier": "municipal",
            "purpose": "interest",
            "year": 2026,
            "amount": "1500.00",
            "received": "0.00",
            "offset": "0.00",
            "written_off": "0.00",
            "open": "0.00",
            "is_offset": True,
            "state": "proposed",
            "reason": "贷款用途不符",
            "document_number": "财监1号",
            "dismissed_why": "",
            **moments,
        },
    )
    assert first.headers["Location"] == f"/api/v1/clawback-orders/{made.pk}/"
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (told, "true")
    assert (made.origin, made.made_by) == ("order", "api:treasury")
    with pytest.raises(DomainError, match="不能复核本人经办的记录"):
        clawbacks.decide(clawback_id=made.pk, accept=True, actor="api:treasury", at=AT)
    clawbacks.decide(clawback_id=made.pk, accept=True, actor="checker", at=AT)
    with as_role("app"):
        told = treasury.finance.get(f"{PATH}{made.pk}/").json()
    assert (told["state"], told["open"]) == ("decided", "1500.00")


def test_no_more_than_was_paid(treasury, as_role):
    found = refused(treasury.finance, as_role, PATH, order("2000.01"), 409, "clawback_beyond_paid")
    assert found["errors"][0]["pointer"] == "/amount"
    assert "2000.00 元" in found["detail"]
    with as_role("app"):
        whole = treasury.finance.post(PATH, order("2000.00"), key=key())
    assert whole.status_code == 201
    found = refused(
        treasury.finance,
        as_role,
        PATH,
        order("0.01", "财监2号"),
        409,
        "clawback_beyond_paid",
    )
    assert "0.00 元" in found["detail"]


def test_the_same_document_under_a_new_key(treasury, as_role):
    with as_role("app"):
        treasury.finance.post(PATH, order("1.00"), key=key())
    found = refused(treasury.finance, as_role, PATH, order("2.00"), 409, "clawback_known")
    assert f"#{Clawback.objects.get().pk}" in found["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"note_number": "B"}, 422, "unknown_note", "/note_number"),
        (
            {"institution_code": SOUTH, "note_number": "B"},
            422,
            "refused_content",
            "/institution_code",
        ),
        ({"institution_code": "nobody"}, 422, "refused_content", "/institution_code"),
        ({"scheme_code": "other"}, 422, "refused_content", "/scheme_code"),
        ({"tier": "central"}, 409, "nothing_paid", "/tier"),
        ({"year": 2025}, 409, "nothing_paid", "/tier"),
        ({"year": "2026"}, 400, "invalid", "/year"),
        ({"amount": "0.00"}, 400, "invalid", "/amount"),
        ({"amount": "-1.00"}, 400, "invalid", "/amount"),
        ({"amount": 1}, 400, "invalid", "/amount"),
        ({"reason": "\u200b"}, 400, "invalid", "/reason"),
        ({"is_offset": "yes"}, 400, "invalid", "/is_offset"),
        ({"state": "decided"}, 400, "invalid", "/state"),
    ],
)
def test_what_is_wrong_in_it_is_named(treasury, as_role, changes, status, code, pointer):
    found = refused(treasury.finance, as_role, PATH, order(**changes), status, code)
    assert [one["pointer"] for one in found["errors"]] == [pointer]


def test_only_finance_orders_and_others_see_nothing(treasury, as_role):
    refused(treasury.core, as_role, PATH, order(), 403, "not_permitted")
    department = treasury.finance.client.department
    refused(
        Machine("reader", department, scopes=["clawbacks:read"]),
        as_role,
        PATH,
        order(),
        403,
        "not_permitted",
    )
    with as_role("app"):
        made = treasury.finance.post(PATH, order(), key=key()).json()["id"]
    before = state()
    with as_role("app"):
        of_bank = treasury.core.get(PATH, "?state=proposed&note_number=A").json()["results"]
        none = treasury.core.get(PATH, "?state=decided").json()["results"]
        foreign = treasury.foreign.get(PATH).json()["results"]
        status = treasury.foreign.get(f"{PATH}{made}/").status_code
    assert state() == before
    assert ([one["id"] for one in of_bank], none, foreign, status) == ([made], [], [], 404)


def test_what_staff_proposed_is_no_order(treasury, as_role):
    with as_role("app"):
        made = treasury.finance.post(PATH, order(), key=key()).json()["id"]
    row = Clawback.objects.get(pk=made)
    ground = clawbacks.Ground(origin="staff", origin_id=0, why="经办提出")
    claim = clawbacks.Claim(row.note_id, row.fund_id, 2026, 100)
    own = clawbacks.propose(claim=claim, ground=ground, actor="maker", at=AT)
    with as_role("app"):
        listed = treasury.core.get(PATH).json()["results"]
        status = treasury.core.get(f"{PATH}{own}/").status_code
    assert ([one["id"] for one in listed], status) == ([made], 404)
