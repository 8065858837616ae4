"""What a run posts into the ledger: paid, advanced, taken back, offset, held (domain §5, D19, D20)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from config.kernel.models import Institution
from settlement.models import (
    Clawback,
    ClawbackMovement,
    Deduction,
    Fund,
    LedgerEntry,
    Scheme,
)
from settlement.services.funds import FundKey
from tests.integration.book import (
    PORTFOLIO,
    exported,
    import_folder,
    load_shipped,
    pre_allocate,
    run,
)
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook, agrees

pytestmark = pytest.mark.django_db

MONTHS = ("central", "provincial", "municipal")


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    return SmallBook(tmp_path)


def receive(yuan: int, number: int = 1, *, bank: str = TREE[0][0], code: str = "test") -> None:
    key = FundKey(
        Institution.objects.get(code=bank).pk, Scheme.objects.get(code=code).pk, "municipal"
    )
    pre_allocate(key, yuan * 100, f"文号 {number}")


def balances() -> dict[str, int]:
    """The only fund's balances, in yuan, those that are not zero."""
    (fund,) = Fund.objects.all()
    names = [f.name for f in Fund._meta.fields if f.name.endswith("_fen")]
    return {
        name.removesuffix("_fen"): getattr(fund, name) // 100
        for name in names
        if getattr(fund, name)
    }


def entries_() -> list[tuple[str, date | None, int]]:
    """Event, month and the entry's amount in yuan, in order."""
    return [
        (entry.event, entry.month, sum(line.debit_fen for line in entry.lines.all()) // 100)
        for entry in LedgerEntry.objects.order_by("number")
    ]


def test_a_run_pays_from_what_was_received_and_advances_the_rest(small: SmallBook) -> None:
    small.scheme()
    receive(1_500)
    small.lend("A", FIRST)
    small.lend("B", SECOND)
    for month in (2, 3):
        small.collect("A", month)
    small.collect("B", 2)
    run()
    assert balances() == {
        "treasury_advance": -1_500, "subsidy_applied": 3_000, "bank_advance": -1_500,
    }  # fmt: skip
    assert entries_() == [
        ("pre_allocation", None, 1_500),
        ("deduction", date(2026, 2, 1), 2_000),
        ("deduction", date(2026, 3, 1), 1_000),
    ]
    assert run() == {}
    assert len(entries_()) == 3
    assert agrees()


def test_a_late_repayment_is_owed_by_the_enterprise_and_offset(small: SmallBook) -> None:
    small.scheme()
    receive(10_000)
    small.lend("A", FIRST)
    for month in (2, 3):
        small.collect("A", month)
    run()
    small.repay("A", "2026-01-20", 1_800_000)
    run()
    assert balances() == {
        "special_account": 8_000, "treasury_advance": -10_000, "subsidy_applied": 1_000,
        "clawback_receivable": 1_000,
    }  # fmt: skip
    assert entries_()[3:] == [
        ("negative_difference", date(2026, 2, 1), 500),
        ("negative_difference", date(2026, 3, 1), 500),
    ]
    small.collect("A", 4)
    small.collect("A", 5)
    small.collect("A", 6)
    run()
    assert balances() == {
        "special_account": 7_500, "treasury_advance": -10_000, "subsidy_applied": 2_500,
    }  # fmt: skip
    (owed,) = Clawback.objects.all()
    assert (owed.amount_fen, owed.offset_fen, owed.origin) == (100_000, 100_000, "difference")
    assert [m.amount_fen for m in ClawbackMovement.objects.order_by("pk")] == [50_000, 50_000]
    assert agrees()


def test_a_clawback_that_is_not_to_be_offset_stays_owed(small: SmallBook) -> None:
    small.scheme()
    small.lend("A", FIRST)
    small.collect("A", 2)
    run()
    small.repay("A", "2026-01-20", 1_800_000)
    run()
    Clawback.objects.update(is_offset=False)
    small.collect("A", 3)
    run()
    assert balances() == {
        "subsidy_applied": 1_000, "bank_advance": -1_500, "clawback_receivable": 500,
    }  # fmt: skip


def test_another_enterprise_is_not_charged(small: SmallBook) -> None:
    small.scheme()
    small.lend("A", FIRST)
    small.lend("B", SECOND)
    small.collect("A", 2)
    run()
    small.repay("A", "2026-01-20", 1_800_000)
    small.collect("B", 3)
    run()
    assert balances() == {
        "subsidy_applied": 1_500, "bank_advance": -2_000, "clawback_receivable": 500,
    }  # fmt: skip


def test_a_scheme_that_holds_pays_in_order_what_fits(small: SmallBook) -> None:
    small.scheme(shortfall="hold")
    receive(2_500)
    small.lend("A", FIRST)
    small.lend("B", SECOND)
    for number, month in (("A", 2), ("B", 2), ("A", 3), ("B", 4)):
        small.collect(number, month)
    counts = run()
    assert (counts["originals"], counts["held"]) == (2, 2)
    assert small.net() == {"A-2": 1_000, "B-2": 1_000}
    assert balances() == {
        "special_account": 500, "treasury_advance": -2_500, "subsidy_applied": 2_000,
    }  # fmt: skip
    assert agrees(waiting=2)
    receive(600, 2)
    assert run()["originals"] == 1
    assert small.net() == {"A-2": 1_000, "A-3": 1_000, "B-2": 1_000}
    receive(2_000, 3)
    assert run()["held"] == 0
    assert agrees()
    assert balances()["special_account"] == 1_100


def test_a_scheme_that_holds_needs_no_money_for_what_the_run_itself_takes_back(
    small: SmallBook,
) -> None:
    small.scheme(shortfall="hold")
    receive(1_000)
    small.lend("A", FIRST)
    small.lend("B", SECOND)
    small.collect("A", 2)
    run()
    small.repay("A", "2026-01-20", 1_800_000)
    for number in "AB":
        small.collect(number, 3)
    counts = run()
    assert (counts["originals"], counts["differences"], counts["held"]) == (1, 1, 1)
    assert small.net() == {"A-2": 500, "A-3": 500}
    assert balances() == {"treasury_advance": -1_000, "subsidy_applied": 1_000}
    assert agrees(waiting=1)


def test_each_enterprise_pays_its_bank(small: SmallBook) -> None:
    """The fund institution is the nearest one at the scheme's level, else the root."""
    small.scheme()
    small.lend("A", FIRST)
    small.lend("B", SECOND, at=TREE[3][0])
    small.collect("A", 2)
    small.collect("B", 2, at=TREE[3][0])
    run()
    found = Fund.objects.values_list("institution__code", "subsidy_applied_fen")
    assert dict(found) == {TREE[0][0]: 100_000, TREE[2][0]: 100_000}


def test_portfolio_the_ledger_ties_to_the_deductions(tmp_path: Path) -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run(through=date(2026, 9, 30))
    run()
    rows = pl.DataFrame(exported("deductions", tmp_path))
    for fund in Fund.objects.select_related("scheme"):
        own = Deduction.objects.filter(
            scheme=fund.scheme, fund_institution_id=fund.institution_id
        ).values_list("collected_on", f"{fund.tier}_fen")
        by_month: dict[date, int] = {}
        for day, fen in own:
            by_month[day.replace(day=1)] = by_month.get(day.replace(day=1), 0) + fen
        entries = LedgerEntry.objects.filter(fund=fund, month__isnull=False)
        booked: dict[date, int] = {}
        for entry in entries.prefetch_related("lines"):
            assert entry.month is not None
            for line in entry.lines.all():
                if line.account == "subsidy_applied":
                    change = line.debit_fen - line.credit_fen
                    booked[entry.month] = booked.get(entry.month, 0) + change
        assert booked == {month: fen for month, fen in by_month.items() if month in booked}
        assert sum(by_month.values()) == sum(booked.values()) == fund.subsidy_applied_fen
    whole = sum(fund.subsidy_applied_fen for fund in Fund.objects.all())
    assert whole == sum(round(float(total) * 100) for total in rows["total"])
    assert whole == 4_209_864_806
