"""What finance decides of a claim: recorded, booked by another, once."""

from __future__ import annotations

import pytest

from loans.values.errors import DomainError
from settlement.models import LedgerEntry, Settlement, SettlementItem
from settlement.services import settlement_decisions
from settlement.services.settlements import Ask
from tests.api.machine import Machine
from tests.api.treasury import HEAD, Treasury, key
from tests.integration.book import AT
from tests.integration.samples import state
from tests.integration.small_book import agrees

pytestmark = pytest.mark.django_db

YEAR = Ask(2026, is_final=True)
WHOLE = {"document_number": "财批1号", "decided_on": "2026-11-20", "approved": None}


def in_part(amount: str, **changes: str) -> dict:
    return {**WHOLE, "approved": [{"tier": "municipal", "amount": amount, **changes}]}


@pytest.fixture
def treasury(tmp_path):
    made = Treasury(tmp_path)
    made.lent()
    return made


def refused(machine: Machine, as_role, path: str, body, status: int, code: str) -> dict:
    """Post what must be refused; at most the answer is kept."""
    before = state()
    with as_role("app"):
        answer = machine.post(path, body, key=key())
    found = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    after = state()
    kept = 1 if status == 409 else 0
    count = before.pop("kernel_idempotencykey")[0]
    assert after.pop("kernel_idempotencykey")[0] == count + kept
    assert after == before
    return found


def test_a_claim_is_read_as_an_account(treasury, as_role):
    made = treasury.claimed(YEAR)
    with as_role("app"):
        told = treasury.finance.get(f"settlements/{made}/").json()
        listed = treasury.finance.get("settlements/", "?year=2026&state=submitted").json()
    zero = dict.fromkeys(("opening", "received", "adjusted", "clawback_decided", "clawback_settled", "clawed_back", "written_off", "made_good", "returned", "surplus", "receivable", "next_year_need"), "0.00")  # fmt: skip
    assert told == {
        "id": made,
        "kind": "annual",
        "scheme_code": "test",
        "institution_code": HEAD,
        "year": 2026,
        "part": 1,
        "is_final": True,
        "state": "submitted",
        "document_number": "",
        "decided_on": None,
        "decided_at": None,
        "booked_at": None,
        "decision_refused_why": "",
        "items": [
            {
                **zero,
                "tier": "municipal",
                "purpose": "interest",
                "used": "2000.00",
                "claimed": "2000.00",
                "gap": "2000.00",
                "approved": None,
                "disallowed": None,
            }
        ],
    }
    assert listed == {"next": None, "results": [told]}


def test_all_of_it_is_approved_and_booked(treasury, as_role):
    made, name = treasury.claimed(YEAR), key()
    with as_role("app"):
        first = treasury.finance.post(f"settlements/{made}/decision/", WHOLE, key=name)
        again = treasury.finance.post(f"settlements/{made}/decision/", WHOLE, key=name)
    told = first.json()
    (item,) = told["items"]
    assert first.status_code == 200, told
    assert (told["state"], told["document_number"], told["decided_on"]) == (
        "booked",
        "财批1号",
        "2026-11-20",
    )
    assert (item["approved"], item["disallowed"]) == ("2000.00", "0.00")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (told, "true")
    row = Settlement.objects.get()
    assert (row.decided_by, row.booked_by) == ("api:treasury", "system-checker")
    assert LedgerEntry.objects.filter(event="use_approved").count() == 1
    found = refused(
        treasury.finance, as_role, f"settlements/{made}/decision/", WHOLE, 409, "settlement_state"
    )
    assert "“已入账”" in found["detail"]
    assert agrees()


def test_part_of_it_is_approved_and_the_banks_checker_books(treasury, as_role, settings):
    settings.AUTO_CHECK = False
    made = treasury.claimed(YEAR)
    with as_role("app"):
        answer = treasury.finance.post(
            f"settlements/{made}/decision/", in_part("1500.50"), key=key()
        )
        anew = treasury.finance.post(f"settlements/{made}/decision/", in_part("1999.99"), key=key())
    (item,) = answer.json()["items"]
    assert (answer.json()["state"], item["approved"], item["disallowed"]) == (
        "decided",
        "1500.50",
        "499.50",
    )
    assert anew.json()["items"][0]["disallowed"] == "0.01"
    assert LedgerEntry.objects.filter(event="use_approved").count() == 0
    with pytest.raises(DomainError, match="批复录入人不能复核入账"):
        settlement_decisions.book(settlement_id=made, actor="api:treasury", at=AT)
    settlement_decisions.book(settlement_id=made, actor="checker", at=AT)
    item = SettlementItem.objects.get()
    assert (item.approved_fen, item.disallowed_fen) == (199_999, 1)
    assert treasury.fund().disallowed_fen == 1
    assert agrees()


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (in_part("2000.01"), 409, "settlement_amount", "/approved"),
        (in_part("-1.00"), 409, "settlement_amount", "/approved"),
        (in_part("1.00", tier="central"), 422, "settlement_tiers", "/approved"),
        (in_part("1.00", tier="county"), 400, "invalid", "/approved/0/tier"),
        (in_part("1e3"), 400, "invalid", "/approved/0/amount"),
        (in_part("１"), 400, "invalid", "/approved/0/amount"),
        ({**WHOLE, "approved": []}, 400, "invalid", "/approved"),
        (
            {**WHOLE, "approved": in_part("1.00")["approved"] * 2},
            422,
            "refused_content",
            "/approved/1",
        ),
        ({**WHOLE, "document_number": " "}, 400, "invalid", "/document_number"),
        ({**WHOLE, "document_number": "财\u202e批"}, 400, "invalid", "/document_number"),
        ({**WHOLE, "decided_on": "9999-01-01"}, 400, "invalid", "/decided_on"),
        ({**WHOLE, "decided_on": "2099-01-01"}, 422, "refused_content", "/decided_on"),
        ({**WHOLE, "booked_by": "me"}, 400, "invalid", "/booked_by"),
        ({k: v for k, v in WHOLE.items() if k != "approved"}, 400, "invalid", "/approved"),
    ],
)
def test_what_cannot_be_decided_is_named(treasury, as_role, body, status, code, pointer):
    made = treasury.claimed(YEAR)
    found = refused(treasury.finance, as_role, f"settlements/{made}/decision/", body, status, code)
    assert [one["pointer"] for one in found["errors"]] == [pointer]


def test_a_draft_is_the_banks_alone(treasury, as_role):
    made = treasury.claimed(YEAR, submitted=False)
    with as_role("app"):
        seen = [
            machine.get(f"settlements/{made}/").status_code
            for machine in (treasury.core, treasury.finance, treasury.foreign)
        ]
        listed = treasury.finance.get("settlements/").json()["results"]
    assert (seen, listed) == ([200, 404, 404], [])
    path = f"settlements/{made}/decision/"
    refused(treasury.finance, as_role, path, WHOLE, 404, "not_found")


def test_banks_do_not_decide_and_others_see_nothing(treasury, as_role):
    made = treasury.claimed(YEAR)
    elsewhere = treasury.claimed(YEAR, at=treasury.away)
    path = f"settlements/{made}/decision/"
    found = refused(treasury.core, as_role, path, WHOLE, 403, "not_permitted")
    assert found["detail"] == "只有财政部门的客户端可以办理"
    refused(
        treasury.finance, as_role, f"settlements/{elsewhere}/decision/", WHOLE, 404, "not_found"
    )
    refused(treasury.finance, as_role, f"liquidations/{made}/decision/", WHOLE, 404, "not_found")
    department = treasury.finance.client.department
    reader = Machine("reader", department, scopes=["settlements:read", "liquidations:decide"])
    refused(reader, as_role, path, WHOLE, 403, "not_permitted")
    with as_role("app"):
        keyless = treasury.finance.post(path, WHOLE)
        listed = treasury.finance.get("settlements/").json()["results"]
    assert keyless.json()["code"] == "idempotency_key_missing"
    assert [one["id"] for one in listed] == [made]


def test_a_liquidation_has_addresses_of_its_own(treasury, as_role):
    with as_role("app"):
        treasury.finance.post(
            "pre-allocations/",
            {
                "scheme_code": "test", "institution_code": HEAD, "tier": "municipal",
                "received_on": "2026-01-04", "amount": "2500.00", "document_number": "甲1",
            },
            key=key(),
        )  # fmt: skip
    made = treasury.claimed(Ask(None))
    with as_role("app"):
        listed = treasury.finance.get("liquidations/", "?scheme_code=test").json()["results"]
        none = treasury.finance.get("settlements/").json()["results"]
        answer = treasury.finance.post(f"liquidations/{made}/decision/", WHOLE, key=key())
    (item,) = listed[0]["items"]
    assert (len(listed), listed[0]["year"], item["surplus"], none) == (1, None, "500.00", [])
    assert (answer.status_code, answer.json()["state"]) == (200, "booked")
    fund = treasury.fund()
    assert (fund.special_account_fen, fund.treasury_advance_fen) == (0, 0)
    assert agrees()
