"""Whose fund a pre-allocation goes to, and what is not booked at all."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils.timezone import localtime

from config.kernel.models import Institution
from loans.models import ImportBatch, PreAllocation
from loans.services.outcomes import ImportRefused
from loans.values.errors import DomainError
from settlement.models import Fund, LedgerEntry, Receipt
from settlement.services.pre_allocations import (
    book_pre_allocation,
    book_pre_allocations,
    lines_if_booked,
    refuse_pre_allocation,
    why_not_booked,
)
from settlement.services.verification import verify
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


def test_a_tier_the_scheme_does_not_pay_is_refused_by_row_and_column(small: SmallBook) -> None:
    with pytest.raises(ImportRefused) as refused:
        received(small, "甲1", place=TREE[0][0], tier="central")
    (problem,) = refused.value.problems
    assert (problem.row, problem.header, problem.value, problem.message) == (
        2, "资金层级", "central",
        "该政策不使用中央资金，只使用：市级"
        " / the scheme pays nothing of the central tier, only: municipal",
    )  # fmt: skip
    assert PreAllocation.objects.count() == 0


def told_before(small: SmallBook, document: str) -> int:
    """Money of a tier that the scheme paid when it was told, and does not pay any more."""
    PreAllocation.objects.create(
        institution=Institution.objects.get(code=TREE[0][0]), scheme_code="test", tier="central",
        received_on=date(2026, 1, 4), amount_fen=90_000, document_number=document,
        batch=ImportBatch.objects.latest("pk"),
    )  # fmt: skip
    return PreAllocation.objects.get(document_number=document).pk


def test_a_tier_the_scheme_does_not_pay_is_told_and_not_booked(
    small: SmallBook, capsys: pytest.CaptureFixture[str]
) -> None:
    key = told_before(small, "甲1")
    received(small, "甲2", place=TREE[0][0])
    with pytest.raises(DomainError, match="该政策不使用中央资金，只使用：市级；不能入账，请退回"):
        book_pre_allocation(pre_allocation_id=key, actor="checker", at=AT)
    assert (Receipt.objects.count(), LedgerEntry.objects.count()) == (0, 0)
    call_command("run_deductions", stdout=io.StringIO())
    assert capsys.readouterr().err.strip().endswith("甲1 test central")
    assert list(Receipt.objects.values_list("pre_allocation__document_number", flat=True)) == [
        "甲2"
    ]
    assert list(Fund.objects.values_list("tier", "special_account_fen")) == [("municipal", 90_000)]
    refuse_pre_allocation(pre_allocation_id=key, why="层级有误", actor="checker", at=AT)
    call_command("run_deductions", stdout=io.StringIO())
    assert capsys.readouterr().err == ""


def test_what_a_holding_fund_cannot_give_back_is_told_by_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = SmallBook(tmp_path)
    small.scheme(shortfall="hold")
    row = {
        "scheme_code": "test", "institution_code": TREE[0][0], "tier": "municipal",
        "received_on": "2026-01-04",
    }  # fmt: skip
    small.enter("pre-allocations", {**row, "amount": "5.00", "document_number": "甲1"})
    small.enter("pre-allocations", {**row, "amount": "-5.01", "document_number": "甲2"})
    call_command("run_deductions", stdout=io.StringIO())
    assert capsys.readouterr().err.strip() == (
        "预拨未入账 not booked: 甲2: 该资金不由银行垫付，可用余额 5.00 元，不足以退回 5.01 元"
        " / the bank advances nothing for this fund: 5.00 yuan are available, 5.01 cannot be given back"
    )
    assert list(Receipt.objects.values_list("pre_allocation__document_number", flat=True)) == [
        "甲1"
    ]
    assert verify().problems == []


def test_why_it_is_not_booked_is_said_of_each(small: SmallBook) -> None:
    key, other = (received(small, name, place=TREE[0][0]) for name in ("甲1", "甲2"))
    book_pre_allocation(pre_allocation_id=key, actor="checker", at=AT)
    refuse_pre_allocation(pre_allocation_id=other, why="重复", actor="second", at=AT)
    third = received(small, "甲3", place=TREE[0][0])
    before = (Receipt.objects.count(), LedgerEntry.objects.count())
    day = localtime(AT).date()
    for asked, actor, code, words in (
        (key, "li", "pre_allocation_answered", f"已入账（checker，{day}），不再变动"),
        (other, "li", "pre_allocation_answered", f"已退回（second，{day}），不再变动"),
        (third, "system", "own_work", "本人登记的须由另一人复核"),
        (third + 9, "li", "pre_allocation_unknown", "没有这笔预拨资金"),
    ):
        with pytest.raises(DomainError, match=re.escape(words)) as refused:
            book_pre_allocation(pre_allocation_id=asked, actor=actor, at=AT)
        assert refused.value.code == code
    assert (Receipt.objects.count(), LedgerEntry.objects.count()) == before
    assert why_not_booked(pre_allocation_id=third, actor="li") is None


def test_a_checker_of_the_branch_cannot_book_into_the_fund_above(
    small: SmallBook, as_role: AsRole
) -> None:
    key = received(small, "甲1", place=NORTH)
    branch = Institution.objects.get(code=NORTH)
    with as_role("app", branch), pytest.raises(DomainError, match="上级资金机构"):
        book_pre_allocation(pre_allocation_id=key, actor="checker", at=AT)
    assert (Receipt.objects.count(), Fund.objects.count()) == (0, 0)
