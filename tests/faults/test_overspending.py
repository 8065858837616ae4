"""Many at once against one fund: nothing is overspent, and nobody waits for ever (D19)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from django.db import connection, transaction

from config.kernel.models import Institution
from config.kernel.services import bulk
from settlement.engine import entries
from settlement.models import Event, Fund, LedgerEntry, Scheme
from settlement.services import deductions, funds, groups
from settlement.services.funds import FundKey, Posting
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.verification import verify
from tests.integration import rows
from tests.integration.book import AT, pre_allocate, run
from tests.integration.rows import BANK
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2026, 3, 2)
WORKERS = 8
ATTEMPTS = 1_000


def at_once(work: Callable[[int], int], workers: int) -> int:
    """Let so many workers begin together, each with a database connection of its own."""
    barrier = threading.Barrier(workers)

    def one(number: int) -> int:
        try:
            connection.ensure_connection()
            barrier.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, range(workers)))


def received(key: FundKey, fen: int, number: int) -> None:
    pre_allocate(key, fen, f"文号 {number}")


@pytest.fixture
def fund_id() -> int:
    """300 yuan and 50 fen."""
    bank = rows.institutions()[BANK]
    key = FundKey(bank.id, Scheme.objects.create(code="test", name="试验").pk, "central")
    received(key, 30_050, 1)
    return Fund.objects.get().pk


def pay(fund_id: int, number: int, *, hold: bool) -> int:
    with transaction.atomic():
        fund = funds.lock(fund_ids=[fund_id])[fund_id]
        if hold and fund.available_fen < 100:
            return 0
        lines = entries.deduction(100, offset_fen=0, available_fen=fund.available_fen)
        posting = Posting(Event.DEDUCTION, DAY, "试验", number, "worker")
        funds.post(fund=fund, posting=posting, lines=lines, year=2026, month=date(2026, 3, 1))
    return 1


@pytest.mark.parametrize("hold", [True, False])
def test_a_thousand_attempts_on_one_fund(fund_id: int, hold: bool) -> None:
    share = ATTEMPTS // WORKERS

    def work(worker: int) -> int:
        return sum(pay(fund_id, worker * share + n, hold=hold) for n in range(share))

    paid = at_once(work, WORKERS)
    fund = Fund.objects.get(pk=fund_id)
    assert paid == (300 if hold else 1_000)
    assert fund.subsidy_applied_fen == paid * 100
    assert fund.special_account_fen == (50 if hold else 0)
    assert fund.bank_advance_fen == (0 if hold else -69_950)
    assert LedgerEntry.objects.count() == fund.entries == paid + 1
    chain = [p for p in verify().problems if "链" in p or "余额" in p]
    assert chain == []


def test_a_thousand_reservations_of_one_fund(fund_id: int) -> None:
    def work(_worker: int) -> int:
        return sum(
            funds.reserve(fund_id=fund_id, amount_fen=100) for _ in range(ATTEMPTS // WORKERS)
        )

    assert at_once(work, WORKERS) == 300
    fund = Fund.objects.get(pk=fund_id)
    assert (fund.reserved_fen, fund.available_fen) == (30_000, 50)


@pytest.mark.parametrize("shortfall", ["hold", "advance"])
def test_two_runs_on_a_fund_that_suffices_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shortfall: str
) -> None:
    monkeypatch.setattr(groups, "CHUNK_NOTES", 1)
    small = SmallBook(tmp_path)
    small.scheme(shortfall=shortfall)
    bank, scheme = Institution.objects.get(code=TREE[0][0]), Scheme.objects.get(code="test")
    received(FundKey(bank.pk, scheme.pk, "municipal"), 100_000, 1)
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        small.lend(number, uscc)
        small.collect(number, 2)
    started = deductions.start_run(actor="system", at=AT)
    assert started is not None
    assert started.chunks >= 2

    def work(number: int) -> int:
        deductions.work_run(run_id=started.run_id, owner=f"test {number}", clock=lambda: AT)
        return 0

    at_once(work, 2)
    fund = Fund.objects.get()
    if shortfall == "hold":
        assert sorted(small.net().values()) == [1_000]
        assert (fund.special_account_fen, fund.bank_advance_fen) == (0, 0)
        assert verify().waiting == 1
        assert run()["held"] == 1
    else:
        assert sorted(small.net().values()) == [1_000, 1_000]
        assert (fund.special_account_fen, fund.bank_advance_fen) == (0, -100_000)
        assert verify().waiting == 0
    assert verify().problems == []


def test_pre_allocations_booked_beside_a_run_wait_in_its_order(tmp_path: Path) -> None:
    """The older receipt is of the fund that runs lock last."""
    small = SmallBook(tmp_path)
    names = ("test", "other")
    for code in names:
        small.scheme(code=code)
    bank = Institution.objects.get(code=TREE[0][0])
    schemes = {code: Scheme.objects.get(code=code).pk for code in names}
    ids = funds.open_funds(keys=[FundKey(bank.pk, pk, "municipal") for pk in schemes.values()])
    first, last = sorted(ids.values())
    codes = {ids[FundKey(bank.pk, pk, "municipal")]: code for code, pk in schemes.items()}
    for fund, day in ((last, "2026-01-04"), (first, "2026-01-05")):
        row = {
            "scheme_code": codes[fund], "institution_code": bank.code, "tier": "municipal",
            "received_on": day, "amount": "100.00", "document_number": "文号",
        }  # fmt: skip
        small.enter("pre-allocations", row)
    has_first = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            has_first.wait()
            return book_pre_allocations(actor="checker", at=AT).receipts
        with transaction.atomic():
            funds.lock(fund_ids=[first])
            has_first.set()
            wait_until_one_waits()
            funds.lock(fund_ids=[first, last])
        return 0

    assert at_once(work, 2) == 2
    assert set(Fund.objects.values_list("special_account_fen", flat=True)) == {10_000}


def wait_until_one_waits() -> None:
    """Until another session waits for a lock of this one's."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    while not bulk.rows(query)[0][0]:
        time.sleep(0.01)
