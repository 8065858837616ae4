"""`check_duplicates`: what is subsidised twice or misused, as findings that two people decide."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db.models import Sum

from config.kernel.management.base import ProjectCommand, now
from loans.values.errors import DomainError
from settlement.management.tables import table, yuan
from settlement.models import Finding
from settlement.services.duplicates import check_duplicates

HEADER = ["规则 rule", "违规 violations", "提示 warnings", "待处理 open", "涉及金额 at stake"]


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "重复贴息核查：按 P1–P12 核查全部机构，登记或更新核查事项（可重复执行）；export findings 列出"
        " / check everything for duplicate subsidies (P1–P12) and keep findings; safe to repeat;"
        " export findings lists them"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, then print what is there by rule."""
        self.require_everywhere(options)
        try:
            done = check_duplicates(at=now())
        except DomainError as refused:  # of a circle whose key is not here
            raise CommandError(refused.message) from refused
        self.stdout.write(
            table(HEADER, [_line(rule) for rule, count in done.there.items() if count])
        )
        self.stdout.write(
            f"新增 opened {done.opened}，变化 changed {done.changed}，重新打开 reopened {done.reopened}，"
            f"已消除 gone {done.gone}"
        )


def _line(rule: str) -> list[str]:
    there = Finding.objects.filter(rule=rule, gone_at=None)
    tiers = ("central_fen", "provincial_fen", "municipal_fen")
    at_stake = there.aggregate(*(Sum(tier, default=0) for tier in tiers))
    return [
        str(Finding.Rule(rule).label),
        str(there.filter(severity=Finding.Severity.VIOLATION).count()),
        str(there.filter(severity=Finding.Severity.WARNING).count()),
        str(there.filter(state=Finding.State.OPEN).count()),
        yuan(sum(at_stake.values())),
    ]
