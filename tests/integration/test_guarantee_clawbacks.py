"""Guarantee-fee subsidies taken back by people (ST-28), out of their own fund and no more than was paid."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import pytest

from loans.values.errors import DomainError
from settlement.models import Clawback, Fund, GuaranteePosting
from settlement.selectors.clawbacks import claimable
from settlement.services.clawbacks import Claim, Ground, decide, propose
from settlement.services.ledger_verification import verify_ledger
from tests.integration.book import AT, run
from tests.integration.samples import state
from tests.integration.small_book import SmallBook
from tests.integration.test_guarantee_money import BANK, book, funds, post  # noqa: F401

pytestmark = pytest.mark.django_db


def test_a_fee_paid_for_a_misused_loan_is_taken_back_and_no_more(book: SmallBook) -> None:
    book.collect("A", 2)
    run()
    post()
    fees = Fund.objects.get(purpose="guarantee_fee", institution__code=BANK)
    note_id = GuaranteePosting.objects.get(guarantee__guarantee_number="G1").note_id
    assert [(one.fund_id, one.purpose, one.left_fen) for one in claimable(note_id=note_id)] == [
        (Fund.objects.get(purpose="interest").pk, "interest", 100_000),
        (fees.pk, "guarantee_fee", 250_000),
    ]
    ground = Ground(origin="order", origin_id=0, why="挪用 / misuse (ST-28)", document_number="追1")
    asked = {"ground": ground, "actor": "maker", "at": AT}
    before = state()
    with pytest.raises(DomainError, match=r"between 0\.01 and 2500\.00"):
        propose(claim=Claim(note_id, fees.pk, 2026, 250_001), **asked)
    assert state() == before
    made = propose(claim=Claim(note_id, fees.pk, 2026, 250_000), **asked)
    decide(clawback_id=made, accept=True, actor="checker", at=AT)
    assert funds()["guarantee_fee"] == (0, 0, 0, -2_500, 2_500)
    assert Clawback.objects.values_list("is_offset", "state").get() == (False, "decided")
    assert verify_ledger() == []
