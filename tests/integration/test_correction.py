"""A repayment told ten months late: one difference per collection and scheme, and everything follows.

Every day of note A earns 100 yuan under `test` and 50 under `other`. A collection covers the 1st to the
10th; the late repayment of half the principal, dated 6 February, leaves 5 whole days in February.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from settlement.models import Clawback, Deduction, Fund, LedgerEntry, Settlement, SettlementItem
from settlement.services import settlement_decisions, settlements
from settlement.services.settlements import Ask
from settlement.services.verification import verify
from tests.integration.book import AT, exported, hundredths, run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, TREE, SmallBook
from tests.integration.test_postings import receive

pytestmark = pytest.mark.django_db

MONTHS = range(2, 13)
PRINCIPAL, REPAID, LATE = 3_600_000, 1_800_000, date(2026, 2, 6)
POINTS = {"test": Fraction(1, 100), "other": Fraction(1, 200)}
KEYS = {(f"A-{month}", scheme): (month, scheme) for month in MONTHS for scheme in POINTS}


def subsidy_fen(month: int, scheme: str, *, repaid: bool) -> int:
    """Product × rate ÷ 360 of a collection, whole fen here (D4); balances from the day of repayment."""
    days = [date(2026, month, day) for day in range(1, 11)]
    product = sum(PRINCIPAL - (REPAID if repaid and day >= LATE else 0) for day in days)
    fen = product * POINTS[scheme] / 360 * 100
    assert fen.denominator == 1
    return int(fen)


def change_fen(month: int, scheme: str) -> int:
    return subsidy_fen(month, scheme, repaid=True) - subsidy_fen(month, scheme, repaid=False)


TAKEN_BACK = {s: -sum(change_fen(month, s) for month in MONTHS) for s in POINTS}


@pytest.fixture
def year(tmp_path: Path) -> SmallBook:
    """A year posted month by month: A of two schemes; B, another bank's, and C, the same borrower's."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.scheme(code="other", points="0.5")
    book.lend("A", FIRST, schemes="test;other")
    book.lend("B", SECOND, at=SOUTH)
    book.lend("C", FIRST)
    receive(30_000)
    receive(4_000, 2, code="other")
    for month in MONTHS:
        for number, place in (("A", NORTH), ("B", SOUTH), ("C", NORTH)):
            book.collect(number, month, at=place)
        assert run()["differences"] == 0
    return book


def differences(sequence: int) -> dict[tuple[str, str], int]:
    """Postings of this number: fen by collection and scheme."""
    rows = Deduction.objects.filter(sequence=sequence).values_list(
        "collection__reference", "scheme__code", "municipal_fen"
    )
    found = {(reference, scheme): fen for reference, scheme, fen in rows}
    assert len(found) == len(rows)
    return found


def net(book: SmallBook) -> dict[tuple[str, str], int]:
    """What the export says each collection of A has been paid."""
    return {
        (row["collection_reference"], row["scheme_code"]): hundredths(row["total"])
        for row in exported("deductions", book.folder)
        if row["note_number"] == "A"
    }


def funds_of_north() -> dict[str, tuple[int, ...]]:
    """Special account, advance from finance, subsidy applied, bank's advance, receivable; in yuan."""
    found = Fund.objects.filter(institution__code=TREE[0][0]).order_by("scheme__code")
    return {
        fund.scheme.code: tuple(
            fen // 100
            for fen in (
                fund.special_account_fen, fund.treasury_advance_fen, fund.subsidy_applied_fen,
                fund.bank_advance_fen, fund.clawback_receivable_fen,
            )
        )
        for fund in found.select_related("scheme")
    }  # fmt: skip


def turnover(book: SmallBook, kind: str, event: str) -> Counter[tuple[str, str]]:
    """Debit of an event in fen, by scheme and account, as the ledger or the vouchers give it."""
    found: Counter[tuple[str, str]] = Counter()
    for row in exported(kind, book.folder):
        if row["event"] == event:
            found[row["scheme_code"], row["account"]] += hundredths(row["debit"] or "0.00")
    return +found


def late_repayment(book: SmallBook) -> None:
    book.repay("A", LATE.isoformat(), REPAID)
    counts = run()
    assert (counts["originals"], counts["differences"]) == (0, 22)


def test_one_difference_per_collection_and_scheme_and_all_balances_follow(year: SmallBook) -> None:
    whole = {key: subsidy_fen(*key_, repaid=False) for key, key_ in KEYS.items()}
    assert net(year) == whole
    assert funds_of_north() == {
        "other": (0, -4_000, 5_500, -1_500, 0),
        "test": (8_000, -30_000, 22_000, 0, 0),
    }
    late_repayment(year)
    assert TAKEN_BACK == {"test": 525_000, "other": 262_500}
    assert differences(1) == {key: change_fen(*key_) for key, key_ in KEYS.items()}
    assert net(year) == {key: subsidy_fen(*key_, repaid=True) for key, key_ in KEYS.items()}
    postings = exported("deduction-postings", year.folder)
    assert Counter(row["sequence"] for row in postings) == {"0": 44, "1": 22}
    assert funds_of_north() == {
        "other": (0, -4_000, 2_875, -1_500, 2_625),
        "test": (8_000, -30_000, 16_750, 0, 5_250),
    }
    owed = {(scheme, "clawback_receivable"): fen for scheme, fen in TAKEN_BACK.items()}
    assert turnover(year, "ledger", "negative_difference") == owed
    assert turnover(year, "vouchers", "negative_difference") == owed
    claims = Clawback.objects.values_list("fund__scheme__code", "amount_fen", "state", "origin")
    assert sorted(claims) == [
        ("other", 262_500, "decided", "difference"),
        ("test", 525_000, "decided", "difference"),
    ]
    months = LedgerEntry.objects.filter(event="negative_difference").values_list("month", "year")
    assert Counter(months) == {(date(2026, month, 1), 2026): 2 for month in MONTHS}
    assert (run().get("differences", 0), verify().problems) == (0, [])


def test_a_reversal_brings_everything_back(year: SmallBook) -> None:
    before = funds_of_north()
    late_repayment(year)
    year.repay("A", LATE.isoformat(), -REPAID)
    assert run()["differences"] == 22
    assert differences(2) == {key: -change_fen(*key_) for key, key_ in KEYS.items()}
    assert net(year) == {key: subsidy_fen(*key_, repaid=False) for key, key_ in KEYS.items()}
    assert funds_of_north() == before  # what is due again is offset against what was owed
    moved = Clawback.objects.values_list("fund__scheme__code", "offset_fen")
    assert sorted(moved) == [("other", 262_500), ("test", 525_000)]
    assert verify().problems == []


def settled(year: int, code: str) -> SettlementItem | None:
    """Settle a scheme's year at the northern bank for good, approved in full."""
    fund = Fund.objects.get(institution__code=TREE[0][0], scheme__code=code)
    made = settlements.draft(
        institution_id=fund.institution_id, scheme_id=fund.scheme_id,
        ask=Ask(year, is_final=True), needs={}, actor="maker", at=AT,
    )  # fmt: skip
    if made is None:
        return None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    settlement_decisions.decide(
        settlement_id=made, approved=None, document_number="财批1号", decided_on=AT.date(),
        actor="maker", at=AT,
    )  # fmt: skip
    settlement_decisions.book(settlement_id=made, actor="checker", at=AT)
    return SettlementItem.objects.get(settlement_id=made)


def figures(item: SettlementItem | None) -> tuple[int, ...]:
    """Used, adjusted, claimed, surplus, gap, receivable; in yuan."""
    assert item is not None
    fens = (
        item.used_fen, item.adjusted_fen, item.claimed_fen, item.surplus_fen, item.gap_fen,
        item.receivable_fen,
    )  # fmt: skip
    return tuple(int(Fraction(fen, 100)) for fen in fens)


def test_the_years_settlement_follows(year: SmallBook) -> None:
    late_repayment(year)
    assert figures(settled(2026, "test")) == (22_000, -5_250, 16_750, 8_000, 0, 5_250)
    assert figures(settled(2026, "other")) == (5_500, -2_625, 2_875, 0, 1_500, 2_625)
    assert verify().problems == []


def test_after_the_year_is_settled_the_open_year_takes_it(year: SmallBook) -> None:
    assert figures(settled(2026, "test")) == (22_000, 0, 22_000, 8_000, 0, 0)
    late_repayment(year)
    entries = LedgerEntry.objects.filter(event="negative_difference", fund__scheme__code="test")
    assert Counter(entries.values_list("month", "year")) == {
        (date(2026, month, 1), 2027): 1 for month in MONTHS
    }
    assert settled(2026, "test") is None
    assert figures(settled(2027, "test")) == (0, -5_250, -5_250, 8_000, 0, 5_250)
    assert Settlement.objects.filter(state="booked").count() == 2
    assert verify().problems == []
