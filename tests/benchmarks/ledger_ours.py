"""Our side of `ledger.py`: milliseconds of two-line entries and of one very long one, as JSON.

`ours: posting function` is the one statement an entry takes; `ours: services.funds` locks the fund
first to read its balance, as whoever decides by the balance has to. Both as the role `worker`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import date

from config import checks

checks.prepare("worker")

from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402

from config.kernel.services import bulk, statements  # noqa: E402, statements
from config.kernel.services.institutions import InstitutionRow, register_institutions  # noqa: E402
from settlement.engine import entries  # noqa: E402
from settlement.engine.entries import Line  # noqa: E402
from settlement.models import Event, LedgerEntry, Scheme  # noqa: E402
from settlement.services import funds  # noqa: E402
from settlement.services.funds import FundKey, Posting  # noqa: E402

DAY = date(2026, 3, 2)
CALL = (
    "SELECT settlement_post_entry(%s, 'pre_allocation', %s, NULL, 2026::smallint, %s, %s, 'maker',"
    " '{special_account,treasury_advance}', '{100,0}', '{0,100}')"
)


def milliseconds(work: Callable[[], None]) -> int:
    """How long it takes."""
    started = time.monotonic()
    work()
    return int((time.monotonic() - started) * 1000)


def fund() -> int:
    """A fund that money has come into, in whatever round this is."""
    register_institutions(rows=[InstitutionRow("B1", "甲银行", "headquarters", "", "320000")])
    scheme, _ = Scheme.objects.get_or_create(code="test", defaults={"name": "试验"})
    ((place,),) = bulk.rows("SELECT id FROM kernel_institution WHERE code = 'B1'")
    key = FundKey(place, scheme.pk, "central")
    return funds.open_funds(keys=[key])[key]


def by_function(fund_id: int, first: int, count: int) -> None:
    """One statement an entry."""
    for number in range(first, first + count):
        statements.prepared(CALL, [fund_id, DAY, f"文号 {number}", number])


def by_service(fund_id: int, first: int, count: int) -> None:
    """Lock, then post, as the services do."""
    lines = entries.pre_allocation(100, available_fen=0)
    for number in range(first, first + count):
        posting = Posting(Event.PRE_ALLOCATION, DAY, f"文号 {number}", number, "maker")
        with transaction.atomic():
            held = funds.lock(fund_ids=[fund_id])[fund_id]
            funds.post(fund=held, posting=posting, lines=lines, year=2026)


def one_long(fund_id: int, first: int, lines: int) -> None:
    """One entry of very many lines."""
    half = [Line("special_account", debit_fen=1)] * (lines // 2)
    other = [Line("treasury_advance", credit_fen=1)] * (lines // 2)
    posting = Posting(Event.PRE_ALLOCATION, DAY, "文号", first, "maker")
    with transaction.atomic():
        held = funds.lock(fund_ids=[fund_id])[fund_id]
        funds.post(fund=held, posting=posting, lines=(*half, *other), year=2026)


def main(count: int, lines: int) -> None:
    """Measure each way; the counter goes on from earlier rounds."""
    settings.DEBUG = False  # as in production, and as the peer runs: no log of every query
    fund_id = fund()
    first = LedgerEntry.objects.count() + 1
    found = {
        "ours: posting function": milliseconds(lambda: by_function(fund_id, first, count)),
        "ours: services.funds": milliseconds(lambda: by_service(fund_id, first + count, count)),
        "large": milliseconds(lambda: one_long(fund_id, first + 2 * count, lines)),
    }
    assert LedgerEntry.objects.count() == first + 2 * count
    sys.stdout.write(json.dumps(found))


main(int(sys.argv[1]), int(sys.argv[2]))
