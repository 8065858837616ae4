"""Random lives of a fund: whatever happens in whatever order, every step leaves the books in order."""

from __future__ import annotations

import tempfile
from dataclasses import replace
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
from settlement.engine.settling import Covered, Figures, figures
from settlement.models import (
    Clawback,
    ClawbackLapse,
    Deduction,
    Event,
    Fund,
    LedgerLine,
    Plan,
    PlannedDeduction,
    Scheme,
    Settlement,
    SettlementItem,
)
from settlement.selectors import settlements as selected
from settlement.services import (
    clawback_movements,
    clawbacks,
    ended_plans,
    funds,
    plans,
    settlement_decisions,
    settlements,
)
from settlement.services.clawback_movements import Payment
from settlement.services.clawbacks import Claim, Ground
from settlement.services.funds import FundKey
from settlement.services.ledger_verification import verify_ledger
from settlement.services.made_good import check_made_good, record_made_good
from settlement.services.settlements import Ask
from settlement.services.verification import verify
from tests.integration.book import AT, pre_allocate, run
from tests.integration.small_book import FIRST, NORTH, SECOND, TREE, SmallBook

DAY = date(2026, 11, 2)
LATE = date(2026, 12, 31)
FLOWS = {
    f"{name}_fen"
    for name in (
        "received", "used", "adjusted", "clawback_decided", "clawback_settled", "clawed_back",
        "written_off", "made_good", "claimed",
    )
}  # fmt: skip
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
        self.planned: list[tuple[str, int]] = []

    def teardown(self) -> None:
        """Bring everything up to date, compare it with the evidence, and undo it all."""
        try:
            if not connection.needs_rollback:
                self.end()
        finally:
            transaction.set_rollback(True)
            self.life.__exit__(None, None, None)
            self.folder.cleanup()

    def end(self) -> None:
        """Whatever was left to do, and what must hold once nothing is."""
        for number, month in self.planned:
            self.book.collect(number, month)
        run()
        for scheme in ("test", "kept"):
            self.receive(scheme=scheme, yuan=100_000)
        run()
        found = verify()
        assert found.problems == []
        assert found.waiting == 0 or not self.collected
        for scheme in ("test", "kept"):
            self.liquidate(scheme=scheme)
        self.the_ledger_adds_up()
        self.parts_add_up_to_the_whole()

    @initialize(
        yuan=st.sampled_from([0, 1_300, 5_000]),
        planned=st.integers(0, 2),
        past=st.sampled_from(["", "taken over", "posted", "claimed", "settled"]),
    )
    def begin(self, yuan: int, planned: int, past: str) -> None:
        """With money or without it, with so many checked plans, and with a past or without one."""
        self.book = SmallBook(Path(self.folder.name))
        self.book.scheme()
        self.book.scheme(code="kept", points="0.5", shortfall="hold")
        for number, uscc in NOTES.items():
            self.book.lend(number, uscc, schemes="test;kept")
        for scheme in ("test", "kept") if yuan else ():
            self.receive(scheme=scheme, yuan=yuan)
        for number in sorted(NOTES)[:planned]:
            self.plan(number=number, month=6, check=True)
        if past == "taken over":
            for scheme in ("test", "kept"):
                self.take_over(scheme=scheme, yuan=300)
        elif past:
            self.collect(number="A", month=2)
            self.collect(number="B", month=3)
            run()
        if past == "claimed":
            for paid in Deduction.objects.order_by("pk"):
                fund = self.fund_of(paid.scheme.code)
                claim = Claim(paid.note_id, fund, 2026, paid.municipal_fen)
                self.take_back(claim, accept=True, is_offset=paid.note.note_number == "A")
        if past == "settled":
            for scheme in ("test", "kept"):
                self.settle(scheme=scheme, is_final=True, half=True)

    def take_over(self, scheme: str, yuan: int) -> None:
        row = {"scheme_code": scheme, "institution_code": NORTH, "note_number": "A"}
        row |= {"tier": "municipal", "year": "2026", "amount": f"{yuan}.00"}
        self.book.enter(
            "opening-positions", {**row, "interest_paid": "900.00", "paid_through": "2026-01-08"}
        )

    @rule(scheme=st.sampled_from(["test", "kept"]), yuan=st.integers(0, 500))
    def correct_the_take_over(self, scheme: str, yuan: int) -> None:
        self.take_over(scheme, yuan)

    def fund_of(self, scheme: str) -> int:
        bank = Institution.objects.get(code=TREE[0][0])
        key = FundKey(bank.pk, Scheme.objects.get(code=scheme).pk, "municipal")
        return funds.open_funds(keys=[key])[key]

    @rule(scheme=st.sampled_from(["test", "kept"]), yuan=st.integers(-900, 2_500))
    def receive(self, scheme: str, yuan: int) -> None:
        fund = Fund.objects.get(pk=self.fund_of(scheme))
        key = FundKey(fund.institution_id, fund.scheme_id, fund.tier)
        self.count += 1
        pre_allocate(key, yuan * 100, f"文号 {self.count}")
        self.received += yuan * 100

    @rule(number=st.sampled_from(sorted(NOTES)), month=st.integers(2, 10))
    def collect(self, number: str, month: int) -> None:
        if (number, month) not in self.collected:
            self.collected.add((number, month))
            self.book.collect(number, month)

    @rule(number=st.sampled_from(sorted(NOTES)), month=st.integers(2, 10), check=st.booleans())
    def plan(self, number: str, month: int, check: bool) -> None:
        if (number, month) not in self.collected:
            self.collected.add((number, month))
            self.planned.append((number, month))
            self.book.collect(number, month, paid="")
        plans.make_plans(through=LATE, actor="maker", at=AT)
        if check:
            for draft in Plan.objects.filter(state="draft").order_by("pk"):
                plans.check_plan(plan_id=draft.pk, actor="checker", at=AT)

    @precondition(lambda self: self.planned)
    @rule(paid=st.sampled_from(["3000.00", "1500.00", "0.00"]), which=st.integers(0, 20))
    def result(self, paid: str, which: int) -> None:
        number, month = self.planned.pop(which % len(self.planned))
        self.book.collect(number, month, paid=paid)
        if which % 2:
            run()

    @precondition(lambda self: self.planned)
    @rule(whole=st.booleans())
    def give_up_a_plan(self, whole: bool) -> None:
        asked = PlannedDeduction.objects.filter(state="reserved").order_by("pk").first()
        if asked is not None and whole:
            ended_plans.end_plan(plan_id=asked.plan_id, actor="third", at=AT, why="改期")
        elif asked is not None:
            ended_plans.void_planned(ids=[asked.pk], actor="third", at=AT, why="客户要求")

    @rule(scheme=st.sampled_from(["test", "kept"]), is_final=st.booleans(), half=st.booleans())
    def settle(self, scheme: str, is_final: bool, half: bool) -> None:
        fund = Fund.objects.get(pk=self.fund_of(scheme))
        if Settlement.objects.filter(scheme__code=scheme, year=None, state="booked").exists():
            return
        self.bring_to_book(fund, Ask(max(2026, fund.closed_through + 1), is_final=is_final), half)

    @rule(scheme=st.sampled_from(["test", "kept"]))
    def liquidate(self, scheme: str) -> None:
        for one in Plan.objects.filter(state="checked").order_by("pk"):
            ended_plans.end_plan(plan_id=one.pk, actor="third", at=AT, why="清算")
        self.bring_to_book(Fund.objects.get(pk=self.fund_of(scheme)), Ask(None), half=False)

    def bring_to_book(self, fund: Fund, ask: Ask, half: bool) -> None:
        made = settlements.draft(
            institution_id=fund.institution_id, scheme_id=fund.scheme_id, ask=ask, needs={},
            actor="maker", at=AT,
        )  # fmt: skip
        if made is None:
            return
        settlements.submit(settlement_id=made, actor="checker", at=AT)
        claimed = SettlementItem.objects.get(settlement_id=made).claimed_fen
        settlement_decisions.decide(
            settlement_id=made,
            approved={("municipal", "interest"): claimed // 2} if half and claimed > 0 else None,
            document_number="批复", decided_on=DAY, actor="maker", at=AT,
        )  # fmt: skip
        settlement_decisions.book(settlement_id=made, actor="checker", at=AT)
        after = Fund.objects.get(pk=fund.pk)
        if ask.year is None:
            assert after.subsidy_applied_fen == 0 and after.special_account_fen == 0

    def parts_add_up_to_the_whole(self) -> None:
        """What was settled part by part is what one settlement of the whole history would say."""
        names = [n for n in Figures.__dataclass_fields__ if n in FLOWS]
        assert len(names) == len(FLOWS)
        for fund in Fund.objects.all():
            entries = selected.entries(ids=[fund.pk])[fund.pk]
            settled = SettlementItem.objects.filter(fund=fund, settlement__state="booked")
            last = entries[-1].number if entries else 0
            whole = figures(entries, Covered(), year=None, through=last)
            for name in names:
                parts = sum(settled.values_list(name, flat=True))
                assert parts == getattr(whole, name), name

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
        self.take_back(claim, accept=accept, is_offset=is_offset)

    def take_back(self, claim: Claim, *, accept: bool, is_offset: bool) -> None:
        self.count += 1
        why = f"试验{self.count}"
        ground = Ground(origin="staff", origin_id=0, why=why, is_offset=is_offset)
        before = list(Clawback.objects.values_list())
        left = self.claimable_fen(claim)
        if claim.amount_fen > left:
            with pytest.raises(DomainError, match="what was paid"):
                clawbacks.propose(claim=claim, ground=ground, actor="maker", at=AT)
            assert list(Clawback.objects.values_list()) == before
            return
        made = clawbacks.propose(claim=claim, ground=ground, actor="maker", at=AT)
        clawbacks.decide(
            clawback_id=made, accept=accept, dismissed_why="" if accept else "试验",
            actor="checker", at=AT,
        )  # fmt: skip

    @rule(number=st.sampled_from(sorted(NOTES)), undo=st.booleans(), is_offset=st.booleans())
    def claim_and_correct(self, number: str, undo: bool, is_offset: bool) -> None:
        """Take back all that is left of a note, lower it, and perhaps raise it again."""
        for paid in Deduction.objects.filter(note__note_number=number, sequence=0):
            claim = Claim(paid.note_id, self.fund_of(paid.scheme.code), 2026, 1)
            left = self.claimable_fen(claim)
            if left > 0:
                self.take_back(replace(claim, amount_fen=left), accept=True, is_offset=is_offset)
        self.repay(number=number, month=1)
        run()
        if undo and self.repaid:
            self.undo_repayment()
            run()

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
                self.count += 1
                payment = Payment(DAY, part, reference=f"T{self.count}", why="试验")
                movement = clawback_movements.record_movement(
                    clawback_id=owed.pk, kind=kind, payment=payment, actor="maker", at=AT
                )
                clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)
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
        found = LedgerLine.objects.filter(account="treasury_advance")
        by_event = found.order_by("entry__event").values_list("entry__event")
        moved = dict(by_event.annotate(fen=Sum("debit_fen") - Sum("credit_fen")))
        booked = SettlementItem.objects.filter(settlement__state="booked")
        assert moved.pop(Event.PRE_ALLOCATION, 0) == -self.received
        assert moved.pop(Event.USE_APPROVED, 0) == sum(
            booked.values_list("approved_fen", flat=True)
        )
        liquidated = booked.filter(settlement__year=None).values_list("surplus_fen", flat=True)
        assert moved.pop(Event.SURPLUS_RETURNED, 0) == sum(liquidated)
        assert moved.keys() <= {Event.CLAWBACK_DECIDED, Event.CLAWBACK_LAPSED}

    @invariant()
    def nothing_is_asked_back_twice(self) -> None:
        """Of each note and fund: claims and differences, less what lapsed, within what was paid."""
        for fund in Fund.objects.all():
            for note_id in set(fund.scheme.deductions.values_list("note_id", flat=True)):
                rows = fund.scheme.deductions.filter(note_id=note_id)
                paid = list(rows.values_list("municipal_fen", flat=True))
                owed = Clawback.objects.filter(note_id=note_id, fund=fund, state="decided")
                claimed = sum(
                    owed.exclude(origin="difference").values_list("amount_fen", flat=True)
                )
                differences = sum(
                    owed.filter(origin="difference").values_list("amount_fen", flat=True)
                )
                gone = ClawbackLapse.objects.filter(note_id=note_id, fund=fund)
                lapsed = sum(gone.values_list("amount_fen", flat=True))
                assert claimed + differences <= sum(fen for fen in paid if fen > 0)
                assert differences == -sum(fen for fen in paid if fen < 0) - lapsed
                assert lapsed == max(0, claimed - sum(paid))

    @invariant()
    def one_original_each(self) -> None:
        originals = Deduction.objects.filter(sequence=0).values("collection_id", "scheme_id")
        assert not originals.annotate(times=Count("id")).filter(times__gt=1).exists()


@pytest.mark.django_db
def test_every_step_leaves_the_books_in_order() -> None:
    run_state_machine_as_test(Money, settings=settings(max_examples=25, stateful_step_count=20))
