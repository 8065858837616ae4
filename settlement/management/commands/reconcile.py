"""`reconcile`: the special accounts' bank statements against the ledger."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand
from settlement.management.tables import table, yuan
from settlement.services.reconciliation import reconcile_statements
from settlement.services.schemes import terms_in_force

REASONS = {
    "not_in_ledger": "账上没有 not in the ledger",
    "double_line": "流水重复 double line",
    "not_on_statement": "流水没有 not on the statement",
    "running_balance": "余额不连续 balance does not follow",
    "final_balance": "期末余额不符（银行 − 账上）final balance, bank − ledger",
}
HEADER = ["专户 account", "流水 lines", "入账 movements", "差异 differences"]


class Command(ProjectCommand):
    """See `--help`."""

    help = "专户银行流水与资金账对账，有差异则退出码为 1 / bank statements against the ledger; exit 1 if they differ"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which accounts, up to which day."""
        super().add_arguments(parser)
        parser.add_argument("--scheme", help="贴息政策代码 / scheme code")
        parser.add_argument("--through", type=date.fromisoformat, help="截至 / up to this day")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a table by account and every difference."""
        if options["scheme"] not in (None, *terms_in_force().scheme_ids):
            raise CommandError(f"未装载的贴息政策：{options['scheme']} / unknown scheme")
        found = reconcile_statements(
            scope=self.scope(options), scheme=options["scheme"], through=options["through"]
        )
        lines = [
            [
                " ".join(key),
                str(sum(len(match.lines) for match in result.matches)),
                str(sum(len(match.movements) for match in result.matches)),
                str(len(result.differences)),
            ]
            for key, result in found.items()
        ]
        self.stdout.write(table(HEADER, lines))
        count = 0
        for key, result in found.items():
            for wrong in result.differences:
                count += 1
                self.stderr.write(
                    f"{' '.join(key)} {wrong.on} {wrong.key} {yuan(wrong.amount_fen)} "
                    f"{REASONS[wrong.reason]}"
                )
        if count:
            raise CommandError(f"{count} 处差异 / differences")
