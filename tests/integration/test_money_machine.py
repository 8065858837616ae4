"""Random lives of a fund: whatever happens in whatever order, every step leaves the books in order."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.kernel.models import Institution
from loans.values.errors import DomainError
from settlement.models import Clawback, Deduction, Event, Fund, Scheme
from settlement.services import clawbacks, funds
from settlement.services.clawbacks import Claim, Ground, Payment
from settlement.services.funds import FundKey, Posting
from settlement.services.ledger_verification import verify_ledger
from settlement.services.made_good import check_made_good, record_made_good
from settlement.services.verification import verify
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook

DAY = date(2026, 11, 2)
NOTES = {"A": FIRST, "B": SECOND}


class Money(RuleBasedStateMachine):
    """Two enterprises; one scheme whose shortfall the bank advances, one that waits for money."""

    def __init__(self) -> None:
        super().__init__()
        self.life = transaction.atomic()
        self.life.__enter__()
        self.folder = tempfile.TemporaryDirectory()
        self.received = self.made_good = self.count = 0
        self.repaid: list[tuple[str, int]] = []
        self.collected: set[tuple[str, int]] = set()

    def teardown(self) -> None:
        """Bring everything up to date, compare it with the evidence, and undo it all."""
        run()
        for scheme in ("test", "kept"):
            self.receive(scheme=scheme, yuan=100_000)
        run()
        found = verify()
        transaction.set_rollback(True)
        self.life.__exit__(None, None, None)
        self.folder.cleanup()
        assert found.problems == []
        assert found.waiting == 0 or not self.collected

    @initialize()
    def begin(self) -> None:
        self.book = SmallBook(Path(self.folder.name))
        self.book.scheme()
        self.book.scheme(code="kept", points="0.5", shortfall="hold")
        for number, uscc in NOTES.items():
            self.book.lend(number, uscc, schemes="test;kept")

    def fund_of(self, scheme: str) -> int:
        bank = Institution.objects.get(code=TREE[0][0])
        key = FundKey(bank.pk, Scheme.objects.get(code=scheme).pk, "municipal")
        return funds.open_funds(keys=[key])[key]

    @rule(scheme=st.sampled_from(["test", "kept"]), yuan=st.integers(-900, 2_500))
    def receive(self, scheme: str, yuan: int) -> None:
        fund = Fund.objects.get(pk=self.fund_of(scheme))
        key = FundKey(fund.institution_id, fund.scheme_id, fund.tier)
        self.count += 1
        posting = Posting(Event.PRE_ALLOCATION, DAY, "文号", self.count, "maker")
        funds.receive(key=key, amount_fen=yuan * 100, posting=posting, year=2026)
        self.received += yuan * 100

    @rule(number=st.sampled_from(sorted(NOTES)), month=st.integers(2, 10))
    def collect(self, number: str, month: int) -> None:
        if (number, month) not in self.collected:
            self.collected.add((number, month))
            self.book.collect(number, month)

    @rule(number=st.sampled_from(sorted(NOTES)), month=st.integers(1, 9))
    def repay(self, number: str, month: int) -> None:
        if [one for one, _ in self.repaid].count(number) < 2:
            self.repaid.append((number, month))
            self.book.repay(number, f"2026-{month:02d}-16", 1_200_000)

    @precondition(lambda self: self.repaid)
    @rule()
    def undo_repayment(self) -> None:
        number, month = self.repaid.pop()
        self.book.repay(number, f"2026-{month:02d}-16", -1_200_000)

    @rule(month=st.integers(2, 10))
    def run_through(self, month: int) -> None:
        run(through=date(2026, month, 28))

    @rule()
    def run_all(self) -> None:
        run()

    @rule(yuan=st.integers(1, 1_200), accept=st.booleans(), is_offset=st.booleans())
    def claw_back(self, yuan: int, accept: bool, is_offset: bool) -> None:
        paid = Deduction.objects.order_by("pk").last()
        if paid is None:
            return
        claim = Claim(paid.note_id, self.fund_of(paid.scheme.code), 2026, yuan * 100)
        ground = Ground(origin="staff", origin_id=0, why="试验", is_offset=is_offset)
        before = list(Clawback.objects.values_list())
        left = self.claimable_fen(claim)
        if claim.amount_fen > left:
            with pytest.raises(DomainError, match="what was paid"):
                clawbacks.propose(claim=claim, ground=ground, actor="maker", at=AT)
            assert list(Clawback.objects.values_list()) == before
            return
        made = clawbacks.propose(claim=claim, ground=ground, actor="maker", at=AT)
        clawbacks.decide(clawback_id=made, accept=accept, actor="checker", at=AT)

    def claimable_fen(self, claim: Claim) -> int:
        fund = Fund.objects.get(pk=claim.fund_id)
        paid = Deduction.objects.filter(note_id=claim.note_id, scheme=fund.scheme)
        claimed = Clawback.objects.filter(note_id=claim.note_id, fund=fund, origin="staff")
        claimed = claimed.exclude(state="dismissed")
        sums = (paid.aggregate(fen=Sum("municipal_fen")), claimed.aggregate(fen=Sum("amount_fen")))
        return (sums[0]["fen"] or 0) - (sums[1]["fen"] or 0)

    @rule(kind=st.sampled_from(["received", "written_off"]), share=st.integers(1, 4))
    def settle_a_debt(self, kind: str, share: int) -> None:
        for owed in Clawback.objects.filter(state="decided").order_by("pk"):
            part = owed.open_fen * share // 4
            if part:
                movement = clawbacks.record_movement(
                    clawback_id=owed.pk, kind=kind, payment=Payment(DAY, part), actor="maker", at=AT
                )
                clawbacks.check_movement(movement_id=movement, actor="checker", at=AT)
                return

    @rule(scheme=st.sampled_from(["test", "kept"]))
    def make_good(self, scheme: str) -> None:
        fund = Fund.objects.get(pk=self.fund_of(scheme))
        if fund.disallowed_fen:
            self.count += 1
            made = record_made_good(
                fund_id=fund.pk, moved_on=DAY, amount_fen=fund.disallowed_fen,
                reference=str(self.count), actor="maker", at=AT,
            )  # fmt: skip
            check_made_good(made_good_id=made, actor="checker", at=AT)
            self.made_good += fund.disallowed_fen

    @invariant()
    def the_ledger_adds_up(self) -> None:
        with connection.cursor() as cursor:  # what would otherwise wait for the commit
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        assert verify_ledger() == []

    @invariant()
    def money_is_where_it_must_be(self) -> None:
        for fund in Fund.objects.all():
            assert fund.special_account_fen >= fund.reserved_fen >= 0
            assert fund.bank_advance_fen <= 0
            assert fund.clawback_receivable_fen >= 0
            assert fund.disallowed_fen >= 0
        whole = Fund.objects.aggregate(Sum("treasury_advance_fen"))["treasury_advance_fen__sum"]
        assert (whole or 0) == -self.received

    @invariant()
    def one_original_each(self) -> None:
        originals = Deduction.objects.filter(sequence=0).values("collection_id", "scheme_id")
        assert not originals.annotate(times=Count("id")).filter(times__gt=1).exists()


@pytest.mark.django_db
def test_every_step_leaves_the_books_in_order() -> None:
    run_state_machine_as_test(Money, settings=settings(max_examples=8, stateful_step_count=14))
