"""`reconcile`: the special accounts' bank statements against the ledger."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from config.kernel.management.base import ProjectCommand
from settlement.management.tables import table, yuan
from settlement.services.reconciliation import (
    AccountKey,
    Place,
    open_differences,
    reconcile_statements,
    record_differences,
)
from settlement.services.schemes import terms_in_force

REASONS = {
    "not_in_ledger": "账上没有 not in the ledger",
    "double_line": "流水重复 double line",
    "not_on_statement": "流水没有 not on the statement",
    "opening_balance": "期初余额未入账 opening balance not in the ledger",
    "running_balance": "余额不连续 balance does not follow",
}
HEADER = [
    "专户 account", "银行余额 bank", "差异 differences", "账面余额 ledger", "流水 lines", "入账 movements",
    "待对账 waiting", "差异数 count",
]  # fmt: skip


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "专户银行流水与资金账对账，登记新差异、消除旧差异；有未说明的差异则退出码为 1；"
        "--through 按当日（流水视为完整）查看，不登记 / bank statements against the ledger; differences are"
        " recorded, closed when gone; exit 1 if one is not explained. --through: as of that day, up to"
        " which statements count as whole; records nothing"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which accounts, up to which day."""
        super().add_arguments(parser)
        parser.add_argument("--scheme", help="贴息政策代码 / scheme code")
        parser.add_argument("--through", type=date.fromisoformat, help="截至 / up to this day")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each account's bank balance − differences = ledger balance, and every difference."""
        if options["scheme"] not in (None, *terms_in_force().scheme_ids):
            raise CommandError(f"未装载的贴息政策：{options['scheme']} / unknown scheme")
        of: dict[str, Any] = {"scope": self.scope(options), "scheme": options["scheme"]}
        if options["through"] is None:
            found = record_differences(**of, at=timezone.localtime())
        else:
            found = reconcile_statements(**of, through=options["through"])
        lines = [
            [
                " ".join(key),
                yuan(result.bank_fen),
                yuan(sum(one.effect_fen for one in result.differences)),
                yuan(result.ledger_fen),
                str(sum(len(match.lines) for match in result.matches)),
                str(sum(len(match.movements) for match in result.matches)),
                f"{len(result.waiting)}: {yuan(sum(one.amount_fen for one in result.waiting))}",
                str(len(result.differences)),
            ]
            for key, result in found.items()
        ]
        self.stdout.write(table(HEADER, lines))
        known = open_differences(**of)
        explained = {place for place, record in known.items() if record.is_explained}
        places = [Place(key, one) for key, result in found.items() for one in result.differences]
        for place in places:
            self._tell(*place, is_explained=place in explained)
        count = len([place for place in places if place not in explained])
        if count:
            raise CommandError(f"{count} 处未说明的差异 / differences not explained")

    def _tell(self, account: AccountKey, wrong: Any, *, is_explained: bool) -> None:
        note = "（已说明 explained）" if is_explained else ""
        self.stderr.write(
            f"{' '.join(account)} {wrong.on} {wrong.key} {yuan(wrong.amount_fen)} "
            f"{REASONS[wrong.reason]}{note}"
        )
