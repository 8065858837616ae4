"""`liquidate`: draft the final liquidation of a scheme at each fund institution."""

from __future__ import annotations

import argparse
from typing import Any

from settlement.management.settlement_drafts import DraftCommand
from settlement.management.tables import table, yuan
from settlement.selectors import settlements
from settlement.services.settlements import Ask


class Command(DraftCommand):
    """See `--help`."""

    help = "起草清算：此前未结算的全部 / draft the liquidation: whatever is not settled yet"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which scheme."""
        super().add_arguments(parser)
        parser.add_argument("--scheme", required=True, help="贴息政策代码 / scheme code")

    def handle(self, *args: Any, **options: Any) -> None:
        """Draft, print one line per institution and tier, and what enterprises still owe."""
        items = self.draft_everywhere(options, Ask(None))
        owed = settlements.open_clawbacks(ids=[item.fund_id for item in items])
        if owed:
            header = ("未收回的追回 unrecovered", "企业 uscc", "应追回 amount", "未收回 open")
            lines = [(o.note_number, o.uscc, yuan(o.amount_fen), yuan(o.open_fen)) for o in owed]
            self.stdout.write(table(header, lines))
