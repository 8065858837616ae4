"""`benchmark_ledger`: two-line ledger entries, each in its own transaction."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from config.kernel.management.base import now
from settlement.engine import entries
from settlement.models import Event, Fund
from settlement.services import funds
from settlement.services.funds import Posting


class Command(BaseCommand):
    """See `--help`."""

    help = "逐笔入账（供 benchmark 使用）/ ledger entries, one transaction each"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How many."""
        parser.add_argument("entries", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the milliseconds as JSON: lock a fund, read it, post to it, commit."""
        fund_ids = list(Fund.objects.order_by("pk").values_list("pk", flat=True))
        today = now().date()
        lines = entries.pre_allocation(100, available_fen=0)
        started = time.monotonic()
        for number in range(1, options["entries"] + 1):
            fund_id = fund_ids[number % len(fund_ids)]
            posting = Posting(Event.PRE_ALLOCATION, today, f"文号 {number}", number, "system")
            with transaction.atomic():
                held = funds.lock(fund_ids=[fund_id])[fund_id]
                funds.post(fund=held, posting=posting, lines=lines, year=today.year)
        self.stdout.write(json.dumps({"milliseconds": int((time.monotonic() - started) * 1000)}))
