"""Whose fund a pre-allocation goes to, and what is not booked at all."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from config.kernel.models import Institution
from loans.models import PreAllocation
from loans.values.errors import DomainError
from settlement.models import Fund, LedgerEntry, Receipt
from settlement.services.pre_allocations import (
    book_pre_allocation,
    book_pre_allocations,
    lines_if_booked,
)
from tests.integration.book import AT
from tests.integration.small_book import FIRST, NORTH, TREE, SmallBook, agrees
from tests.integration.test_append_only import AsRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    small = SmallBook(tmp_path)
    small.scheme()
    small.lend("A", FIRST)
    return small


def received(small: SmallBook, document: str, *, place: str, tier: str = "municipal") -> int:
    small.enter(
        "pre-allocations",
        {
            "scheme_code": "test", "institution_code": place, "tier": tier,
            "received_on": "2026-01-04", "amount": "900.00", "document_number": document,
        },
    )  # fmt: skip
    return PreAllocation.objects.get(document_number=document).pk


def test_money_named_for_a_branch_goes_to_the_fund_that_pays_for_it(small: SmallBook) -> None:
    key = received(small, "甲1", place=NORTH)
    fund, told = lines_if_booked(pre_allocation_id=key)
    assert fund is None
    assert [line.account for _, lines in told for line in lines] == [
        "special_account",
        "treasury_advance",
    ]
    assert book_pre_allocations(actor="checker", at=AT).receipts == 1
    fund = Fund.objects.get()
    assert (fund.institution.code, fund.special_account_fen) == (TREE[0][0], 90_000)
    small.collect("A", 3)
    call_command("run_deductions", stdout=io.StringIO())
    fund.refresh_from_db()
    paid = fund.subsidy_applied_fen
    assert paid > 0
    assert (fund.special_account_fen, fund.bank_advance_fen) == (
        max(90_000 - paid, 0),
        -max(paid - 90_000, 0),
    )
    assert agrees()


def test_a_tier_the_scheme_does_not_pay_is_told_and_not_booked(
    small: SmallBook, capsys: pytest.CaptureFixture[str]
) -> None:
    key = received(small, "甲1", place=TREE[0][0], tier="central")
    received(small, "甲2", place=TREE[0][0])
    with pytest.raises(DomainError, match="政策没有的资金层级"):
        book_pre_allocation(pre_allocation_id=key, actor="checker", at=AT)
    assert (Receipt.objects.count(), LedgerEntry.objects.count()) == (0, 0)
    call_command("run_deductions", stdout=io.StringIO())
    assert capsys.readouterr().err.strip().endswith("甲1 test central")
    assert list(Receipt.objects.values_list("pre_allocation__document_number", flat=True)) == [
        "甲2"
    ]
    assert list(Fund.objects.values_list("tier", "special_account_fen")) == [("municipal", 90_000)]


def test_a_checker_of_the_branch_cannot_book_into_the_fund_above(
    small: SmallBook, as_role: AsRole
) -> None:
    key = received(small, "甲1", place=NORTH)
    branch = Institution.objects.get(code=NORTH)
    with as_role("app", branch), pytest.raises(DomainError, match="上级资金机构"):
        book_pre_allocation(pre_allocation_id=key, actor="checker", at=AT)
    assert (Receipt.objects.count(), Fund.objects.count()) == (0, 0)
