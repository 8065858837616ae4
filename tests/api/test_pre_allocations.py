"""What a treasury pays ahead: stored and booked once, taken back as far as the fund goes."""

from __future__ import annotations

import pytest

from config.kernel.models import Institution
from loans.models import ImportBatch, PreAllocation
from loans.values.errors import DomainError
from settlement.models import Fund, LedgerEntry, Receipt
from settlement.services.pre_allocations import (
    book_pre_allocation,
    book_pre_allocations,
    refuse_pre_allocation,
    why_not_booked,
)
from settlement.services.verification import verify
from tests.api.machine import Machine, department
from tests.api.treasury import ELSEWHERE, HEAD, Treasury, key, paid
from tests.integration.book import AT
from tests.integration.samples import state
from tests.integration.small_book import NORTH

pytestmark = pytest.mark.django_db
CODES = {400: "invalid", 422: "refused_content"}


@pytest.fixture
def treasury(tmp_path):
    return Treasury(tmp_path)


@pytest.fixture
def holding(tmp_path):
    return Treasury(tmp_path, shortfall="hold")


def balances() -> list[tuple[int, int, int]]:
    columns = ("special_account_fen", "treasury_advance_fen", "bank_advance_fen")
    return list(Fund.objects.order_by("pk").values_list(*columns))


def refused(machine: Machine, as_role, body, status: int, code: str) -> dict:
    """Post what must be refused, changing nothing but the answer kept of a final refusal."""
    before = state()
    with as_role("app"):
        answer = machine.post("pre-allocations/", body, key=key())
    found = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    after = state()
    kept = 1 if status == 409 else 0
    count = before.pop("kernel_idempotencykey")[0]
    assert after.pop("kernel_idempotencykey")[0] == count + kept
    assert after == before
    return found


def test_it_is_stored_and_booked_once(treasury, as_role):
    name = key()
    with as_role("app"):
        first = treasury.finance.post("pre-allocations/", paid("900.00", "甲1"), key=name)
        again = treasury.finance.post("pre-allocations/", paid("900.00", "甲1"), key=f'"{name}"')
    row = PreAllocation.objects.get()
    assert (first.status_code, first.json()) == (
        201,
        {
            "kind": "pre-allocations",
            "received": 1,
            "stored": 1,
            "corrected": 0,
            "unchanged": 0,
            "batch": row.batch_id,
            "items": [{"id": row.pk, "state": "booked"}],
        },
    )
    assert first.headers["Location"] == f"/api/v1/pre-allocations/{row.pk}/"
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert balances() == [(90_000, -90_000, 0)]
    receipt = Receipt.objects.get()
    assert (receipt.made_by, receipt.checked_by) == ("api:treasury", "system-checker")
    assert ImportBatch.objects.latest("pk").actor == "api:treasury"
    assert verify().problems == []


def test_without_a_stand_in_it_waits_for_the_banks_checker(treasury, as_role, settings):
    settings.AUTO_CHECK = False
    with as_role("app"):
        answer = treasury.finance.post("pre-allocations/", paid("900.00", "甲1"), key=key())
        row = PreAllocation.objects.get()
        told = treasury.finance.get(f"pre-allocations/{row.pk}/").json()
    assert (answer.status_code, answer.json()["items"]) == (
        201,
        [{"id": row.pk, "state": "waiting"}],
    )
    assert told == {
        "id": row.pk,
        "scheme_code": "test",
        "institution_code": HEAD,
        "tier": "municipal",
        "purpose": "interest",
        "received_on": "2026-01-04",
        "amount": "900.00",
        "document_number": "甲1",
        "state": "waiting",
        "answered_at": None,
        "refused_why": "",
    }
    assert balances() == []
    with pytest.raises(DomainError, match="本人登记的须由另一人复核"):
        book_pre_allocation(pre_allocation_id=row.pk, actor="api:treasury", at=AT)
    book_pre_allocation(pre_allocation_id=row.pk, actor="checker", at=AT)
    with as_role("app"):
        told = treasury.core.get(f"pre-allocations/{row.pk}/").json()
    assert (told["state"], told["answered_at"]) == ("booked", "2026-11-23T16:00:00+08:00")


def test_one_that_the_checker_refused_says_why(treasury, as_role, settings):
    settings.AUTO_CHECK = False
    with as_role("app"):
        treasury.finance.post("pre-allocations/", paid("900.00", "甲1"), key=key())
    row = PreAllocation.objects.get()
    refuse_pre_allocation(pre_allocation_id=row.pk, why="未到账", actor="checker", at=AT)
    with as_role("app"):
        told = treasury.finance.get(f"pre-allocations/{row.pk}/").json()
        lists = {
            state: len(
                treasury.finance.get("pre-allocations/", f"?state={state}").json()["results"]
            )
            for state in ("booked", "waiting", "refused")
        }
    assert (told["state"], told["refused_why"]) == ("refused", "未到账")
    assert lists == {"booked": 0, "waiting": 0, "refused": 1}


def test_many_are_booked_together_or_not_at_all(treasury, as_role):
    body = [paid("100.00", "甲1"), paid("200.00", "甲2"), paid("-50.00", "甲3")]
    with as_role("app"):
        answer = treasury.finance.post("pre-allocations/", {"items": body}, key=key())
    keys = list(PreAllocation.objects.order_by("document_number").values_list("pk", flat=True))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["items"] == [{"id": pk, "state": "booked"} for pk in keys]
    assert "Location" not in answer.headers
    assert balances() == [(25_000, -25_000, 0)]
    found = refused(
        treasury.finance, as_role, [paid("1.00", "乙1"), paid("1.001", "乙2")], 400, "invalid"
    )
    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [("/1/amount", "invalid")]


def test_the_same_document_under_a_new_key_names_what_is_stored(treasury, as_role):
    with as_role("app"):
        treasury.finance.post("pre-allocations/", paid("900.00", "甲1"), key=key())
    row = PreAllocation.objects.get()
    found = refused(treasury.finance, as_role, paid("900.00", "甲1"), 409, "row_known")
    assert found["known"] == [row.pk]
    assert found["errors"] == [
        {"pointer": "", "code": "row_known", "detail": f"已登记为 #{row.pk}"}
    ]
    body = {"items": [paid("5.00", "甲2"), paid("900.00", "甲1")]}
    found = refused(treasury.finance, as_role, body, 409, "row_known")
    assert [one["pointer"] for one in found["errors"]] == ["/items/1"]
    found = refused(treasury.finance, as_role, paid("901.00", "甲1"), 409, "differs_from_stored")
    assert balances() == [(90_000, -90_000, 0)]


def test_a_tier_the_scheme_does_not_pay_is_refused(treasury, as_role):
    body = paid("900.00", "甲1", tier="central")
    found = refused(treasury.finance, as_role, body, 422, "refused_content")
    assert found["errors"] == [
        {
            "pointer": "/tier",
            "code": "rule",
            "detail": "该政策不使用中央资金，只使用：市级",
            "value": "central",
        }
    ]


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"scheme_code": "other"}, 422, "/scheme_code"),
        ({"institution_code": ELSEWHERE}, 422, "/institution_code"),
        ({"institution_code": "C9999999999999"}, 422, "/institution_code"),
        ({"amount": "0.00"}, 400, "/amount"),
        ({"amount": "-0.00"}, 400, "/amount"),
        ({"amount": 900}, 400, "/amount"),
        ({"amount": "９００"}, 400, "/amount"),
        ({"received_on": "2026-02-30"}, 400, "/received_on"),
        ({"state": "booked"}, 400, "/state"),
        ({"document_number": "甲\u200b1"}, 400, "/document_number"),
    ],
)
def test_what_is_wrong_in_it_is_named(treasury, as_role, changes, status, pointer):
    body, code = {**paid("900.00", "甲1"), **changes}, CODES[status]
    found = refused(treasury.finance, as_role, body, status, code)
    assert [one["pointer"] for one in found["errors"]] == [pointer]


def test_a_fund_that_holds_gives_back_what_it_has_and_no_more(holding, as_role):
    with as_role("app"):
        holding.finance.post("pre-allocations/", paid("100.00", "甲1"), key=key())
    found = refused(holding.finance, as_role, paid("-100.01", "甲2"), 409, "insufficient_funds")
    assert found["available"] == "100.00"
    assert found["errors"] == [
        {
            "pointer": "/amount",
            "code": "insufficient_funds",
            "detail": "该资金不由银行垫付，可用余额 100.00 元，不足以退回 100.01 元",
        }
    ]
    body = [paid("1.00", "甲3"), paid("-60.00", "甲4"), paid("-60.00", "甲5")]
    found = refused(holding.finance, as_role, body, 409, "insufficient_funds")
    assert (found["available"], found["errors"][0]["pointer"]) == ("41.00", "/2/amount")
    with as_role("app"):
        whole = holding.finance.post("pre-allocations/", paid("-100.00", "甲2"), key=key())
    assert whole.status_code == 201
    assert balances() == [(0, 0, 0)]
    found = refused(holding.finance, as_role, paid("-0.01", "甲6"), 409, "insufficient_funds")
    assert found["available"] == "0.00"
    assert verify().problems == []


def test_of_a_fund_that_the_bank_advances_the_rest_is_its_own(treasury, as_role):
    with as_role("app"):
        treasury.finance.post("pre-allocations/", paid("100.00", "甲1"), key=key())
        answer = treasury.finance.post("pre-allocations/", paid("-130.00", "甲2"), key=key())
    assert answer.status_code == 201
    assert balances() == [(0, 3_000, -3_000)]
    assert verify().problems == []


def test_what_a_holding_fund_cannot_bear_waits_and_stops_no_other(holding, as_role, settings):
    settings.AUTO_CHECK = False
    body = [paid("-10.00", "甲1"), paid("5.00", "甲2", received_on="2026-01-05")]
    with as_role("app"):
        answer = holding.finance.post("pre-allocations/", body, key=key())
    assert [one["state"] for one in answer.json()["items"]] == ["waiting", "waiting"]
    booked = book_pre_allocations(actor="checker", at=AT)
    (short,) = booked.short
    assert (booked.receipts, booked.amount_fen, booked.waiting) == (1, 500, 1)
    assert (short.document_number, short.refusal.available_fen) == ("甲1", 0)
    assert balances() == [(500, -500, 0)]
    row = PreAllocation.objects.get(document_number="甲1")
    fault = why_not_booked(pre_allocation_id=row.pk, actor="checker")
    assert fault is not None
    assert fault.code == "insufficient_funds"
    with pytest.raises(DomainError, match="不足以退回"):
        book_pre_allocation(pre_allocation_id=row.pk, actor="checker", at=AT)
    assert Receipt.objects.count() == 1


def test_where_the_fund_is_an_institutions_above_it_waits_for_that(treasury, as_role):
    branch = Institution.objects.get(code=NORTH)
    city = Machine("city", department("F2", branch, schemes=("test",)))
    with as_role("app"):
        answer = city.post(
            "pre-allocations/", paid("9.00", "甲1", institution_code=NORTH), key=key()
        )
    assert (answer.status_code, answer.json()["items"][0]["state"]) == (201, "waiting")
    assert (PreAllocation.objects.count(), Fund.objects.count()) == (1, 0)
    book_pre_allocations(actor="checker", at=AT)
    assert balances() == [(900, -900, 0)]


def test_only_ones_own_are_seen(treasury, as_role):
    with as_role("app"):
        for number in range(3):
            treasury.finance.post("pre-allocations/", paid("1.00", f"甲{number}"), key=key())
        treasury.core.post("pre-allocations/", paid("1.00", "乙", scheme_code="other"), key=key())
        keys = list(PreAllocation.objects.order_by("-pk").values_list("pk", flat=True))
        page = treasury.finance.get("pre-allocations/", "?page_size=2").json()
        rest = treasury.finance.http.get(page["next"], headers=treasury.finance.headers()).json()
        of_bank = treasury.core.get("pre-allocations/").json()
        foreign = treasury.foreign.get("pre-allocations/").json()
        hidden = [
            treasury.foreign.get(f"pre-allocations/{keys[0]}/").status_code,
            treasury.finance.get(f"pre-allocations/{keys[0]}/").status_code,
            treasury.finance.get(f"pre-allocations/{10**23}/").status_code,
        ]
    assert len(keys) == 4
    assert [one["id"] for one in page["results"]] == keys[1:3]
    assert ([one["id"] for one in rest["results"]], rest["next"]) == (keys[3:], None)
    assert [one["id"] for one in of_bank["results"]] == keys
    assert foreign == {"next": None, "results": []}
    assert hidden == [404, 404, 404]


def test_it_needs_a_key_and_the_scope(treasury, as_role):
    before = state()
    reader = Machine("reader", treasury.finance.client.department, scopes=["pre-allocations:read"])
    registered = state()
    with as_role("app"):
        keyless = treasury.finance.post("pre-allocations/", paid("9.00", "甲1"))
        scopeless = reader.post("pre-allocations/", paid("9.00", "甲1"), key=key())
        unasked = treasury.finance.get("pre-allocations/", "?bank=1")
        lost = treasury.finance.get("pre-allocations/", "?cursor=x")
    assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_missing")
    assert (scopeless.status_code, scopeless.json()["code"]) == (403, "not_permitted")
    assert (unasked.status_code, unasked.json()["code"]) == (400, "unknown_parameter")
    assert (lost.status_code, lost.json()["errors"][0]["pointer"]) == (400, "cursor")
    assert state() == registered != before
    assert LedgerEntry.objects.count() == 0
