"""Guarantee-fee subsidies taken back by people (ST-28), out of their own fund and no more than was paid."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import pytest

from loans.values.errors import DomainError
from settlement.models import Clawback, ClawbackLapse, Fund, GuaranteePosting
from settlement.selectors.clawbacks import claimable
from settlement.services.clawbacks import Claim, Ground, decide, propose
from settlement.services.guarantee_verification import verify_guarantees
from settlement.services.ledger_verification import verify_ledger
from settlement.services.verification import verify
from tests.integration.book import AT, run
from tests.integration.samples import state
from tests.integration.small_book import SmallBook
from tests.integration.test_guarantee_money import BANK, book, funds, guarantee, post  # noqa: F401

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


def owed() -> list[tuple[str, int, int]]:
    """Origin, amount and what is open of every clawback, in yuan, in order."""
    return [
        (one.origin, one.amount_fen // 100, one.open_fen // 100)
        for one in Clawback.objects.order_by("pk")
    ]


def claim(yuan: int) -> None:
    fees = Fund.objects.get(purpose="guarantee_fee", institution__code=BANK)
    note_id = GuaranteePosting.objects.filter(fund=fees).values_list("note_id", flat=True)[0]
    ground = Ground(origin="order", origin_id=0, why="挪用 / misuse (ST-28)", document_number="追1")
    asked = Claim(note_id, fees.pk, 2026, yuan * 100)
    made = propose(claim=asked, ground=ground, actor="maker", at=AT)
    decide(clawback_id=made, accept=True, actor="checker", at=AT)


def test_a_fee_claimed_back_is_not_owed_again_when_its_label_goes(book: SmallBook) -> None:
    post()
    claim(900)
    book.note("A", schemes="")
    post()
    assert owed() == [("order", 900, 900), ("difference", 1_600, 1_600)]
    assert funds()["guarantee_fee"] == (0, 0, 0, -2_500, 2_500)
    book.note("A", schemes="test")
    post()
    assert owed()[2:] == [("difference", 900, 900)]
    assert funds()["guarantee_fee"] == (0, 0, 1_600, -5_000, 3_400)
    assert list(
        ClawbackLapse.objects.order_by("pk").values_list("amount_fen", "origin_id")
    ) == [
        (fen, GuaranteePosting.objects.get(note__note_number="A", sequence=sequence).pk)
        for fen, sequence in ((90_000, 1), (-90_000, 2))
    ]  # fmt: skip
    assert verify().problems == []


def test_of_two_guarantees_of_one_note_each_posting_counts_the_one_before(book: SmallBook) -> None:
    post()
    claim(2_500)
    guarantee(book, "G0", "A", starts="2026-01-10", yuan=600_000)  # takes the place of G1
    post()
    lapses = ClawbackLapse.objects.order_by("pk").values_list("amount_fen", flat=True)
    assert list(lapses) == [250_000, -150_000]
    assert owed() == [("order", 2_500, 2_500), ("difference", 1_500, 1_500)]
    assert funds()["guarantee_fee"] == (0, 0, 0, -4_000, 4_000)
    assert verify().problems == []


@pytest.mark.django_db(transaction=True)
def test_verify_names_the_posting_whose_lapse_was_changed(
    book: SmallBook, owner_connection
) -> None:
    post()
    claim(900)
    book.note("A", schemes="")
    post()
    posting = GuaranteePosting.objects.get(sequence=1).pk
    owner_connection.execute("ALTER TABLE settlement_clawbacklapse DISABLE TRIGGER USER")
    owner_connection.execute("UPDATE settlement_clawbacklapse SET amount_fen = 1")
    wrong = "担保费补贴负差额没有相应追回 / a negative guarantee posting without its clawback"
    assert verify_guarantees() == [f"{wrong}: #{posting}"]
