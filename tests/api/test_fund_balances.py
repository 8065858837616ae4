"""What funds hold, and what was answered under a key."""

from __future__ import annotations

import pytest
from django.utils.timezone import localtime

from config.kernel.models import IdempotencyKey
from tests.api.machine import Machine
from tests.api.treasury import ELSEWHERE, HEAD, Treasury, key, paid
from tests.integration.samples import state

pytestmark = pytest.mark.django_db


@pytest.fixture
def treasury(tmp_path):
    made = Treasury(tmp_path)
    made.lent()
    return made


def test_a_fund_says_what_it_holds_and_owes(treasury, as_role):
    with as_role("app"):
        treasury.finance.post("pre-allocations/", paid("1500.00", "甲1"), key=key())
        owing = treasury.finance.get("fund-balances/").json()
        treasury.finance.post("pre-allocations/", paid("800.00", "甲2"), key=key())
        (told,) = treasury.finance.get("fund-balances/").json()["results"]
    (before,) = owing["results"]
    assert (before["bank_advance"], before["special_account"]) == ("500.00", "0.00")
    assert told == {
        "id": treasury.fund().pk,
        "scheme_code": "test",
        "institution_code": HEAD,
        "tier": "municipal",
        "purpose": "interest",
        "special_account": "300.00",
        "reserved": "0.00",
        "available": "300.00",
        "bank_advance": "0.00",
        "treasury_advance": "2300.00",
        "subsidy_applied": "2000.00",
        "clawback_receivable": "0.00",
        "disallowed": "0.00",
        "closed_through": 0,
        "as_of": told["as_of"],
    }
    assert told["as_of"] > before["as_of"]


def test_each_sees_its_own_funds(treasury, as_role):
    with as_role("app"):
        treasury.core.post("pre-allocations/", paid("7.00", "乙1", scheme_code="other"), key=key())
        seen = {
            machine.client.name: [
                (one["institution_code"], one["scheme_code"], one["available"])
                for one in machine.get("fund-balances/").json()["results"]
            ]
            for machine in (treasury.finance, treasury.core, treasury.foreign)
        }
        chosen = [
            len(treasury.core.get("fund-balances/", query).json()["results"])
            for query in (
                "?scheme_code=other",
                "?tier=central",
                "?tier=municipal",
                "?purpose=guarantee_fee",
                f"?institution_code={ELSEWHERE}",
            )
        ]
        wrong = treasury.core.get("fund-balances/", "?tier=county")
    assert seen == {
        "treasury": [(HEAD, "test", "0.00")],
        "core": [(HEAD, "other", "7.00"), (HEAD, "test", "0.00")],
        "foreign-core": [(ELSEWHERE, "test", "0.00")],
    }
    assert chosen == [1, 0, 2, 0, 0]
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "tier")


def test_an_answer_is_found_by_its_key(treasury, as_role):
    name, refusal = key(), key()
    with as_role("app"):
        first = treasury.finance.post("pre-allocations/", paid("9.00", "甲1"), key=name)
        second = treasury.finance.post("pre-allocations/", paid("9.00", "甲1"), key=refusal)
        told = treasury.finance.get(f"pre-allocations/by-key/{name}/")
        refused = treasury.finance.get(f"pre-allocations/by-key/{refusal}/")
    kept = IdempotencyKey.objects.get(key=name)
    assert (told.status_code, told.json()) == (
        200,
        {
            "key": name,
            "method": "POST",
            "path": "/api/v1/pre-allocations/",
            "answered_at": localtime(kept.at).isoformat(),
            "status": 201,
            "location": first.headers["Location"],
            "body": first.json(),
        },
    )
    assert (refused.status_code, refused.json()["status"]) == (200, 409)
    assert refused.json()["body"] == second.json()


def test_a_key_is_its_clients_and_its_collections(treasury, as_role):
    name, of_fact = key(), key()
    repayment = {
        "institution_code": "C0001320100000",
        "note_number": "A",
        "repaid_on": "2026-03-21",
        "amount": "100.00",
        "reference": "R1",
    }
    with as_role("app"):
        treasury.finance.post("pre-allocations/", paid("9.00", "甲1"), key=name)
        treasury.core.post("repayments/", repayment, key=of_fact)
    before = state()
    with as_role("app"):
        found = [
            machine.get(f"{collection}/by-key/{asked}/").status_code
            for machine, collection, asked in (
                (treasury.finance, "pre-allocations", name),
                (treasury.core, "pre-allocations", name),
                (treasury.foreign, "pre-allocations", name),
                (treasury.finance, "settlements", name),
                (treasury.finance, "pre-allocations", key()),
                (treasury.finance, "pre-allocations", "short"),
                (treasury.core, "repayments", of_fact),
                (treasury.core, "notes", of_fact),
            )
        ]
    assert state() == before
    assert found == [200, 404, 404, 404, 404, 404, 200, 404]


def test_balances_need_their_scope(treasury, as_role):
    blind = Machine("blind", treasury.head, scopes=["settlements:read"])
    with as_role("app"):
        statuses = [
            blind.get(path).status_code
            for path in ("fund-balances/", "settlements/", "clawback-orders/", "pre-allocations/")
        ]
        posted = treasury.finance.post("fund-balances/", {}, key=key())
    assert statuses == [403, 200, 403, 403]
    assert (posted.status_code, posted.headers["Allow"]) == (405, "GET, HEAD")
