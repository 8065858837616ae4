"""`check_duplicates`: what is subsidised twice or misused, as findings that two people decide."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet, Sum

from config.kernel.management.base import ProjectCommand, now
from loans.values.errors import DomainError, bilingual
from settlement.management.tables import table, yuan
from settlement.models import Finding
from settlement.services.duplicates import check_changed, check_duplicates, check_exact
from settlement.services.finding_records import Checked

UNDER_WAY = bilingual(
    "另一次核查正在进行，变化留待其后核查",
    "another check is under way; what changed is looked at after it",
)
HEADER = [
    "规则 rule", "违规 violations", "提示 warnings", "疑似 proposals", "待处理 open", "涉及金额 at stake",
]  # fmt: skip


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "重复贴息核查：按 P1–P12 核查全部机构，并提出疑似事项（N），登记或更新核查事项（可重复执行）；export findings"
        " 列出 / check everything for duplicate subsidies (P1–P12), propose what is alike (N), keep findings;"
        " safe to repeat;"
        " export findings lists them"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How much to look at."""
        super().add_arguments(parser)
        much = parser.add_mutually_exclusive_group()
        much.add_argument(
            "--exact",
            action="store_true",
            help="只按相同号码核查（P1–P12），疑似事项不变 / exact matches alone; proposals stay as they are",
        )
        much.add_argument(
            "--changed",
            action="store_true",
            help="只核查上次核查后有变化的企业及其关联，结果与全部核查相同"
            " / only what changed since the last check and what it is linked to; the result is the same",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, then print what is there by rule."""
        self.require_everywhere(options)
        try:
            done = self._check(options)
        except DomainError as refused:  # of a circle whose key is not here
            raise CommandError(refused.message) from refused
        rules = [rule for rule in Finding.Rule.values if _there(rule).exists()]
        if done is None:
            raise CommandError(UNDER_WAY)
        self.stdout.write(table(HEADER, [_line(rule) for rule in rules]))
        self.stdout.write(done.said())

    def _check(self, options: dict[str, Any]) -> Checked | None:
        if options["changed"]:
            return check_changed(at=now())
        return check_exact(at=now()) if options["exact"] else check_duplicates(at=now())


def _there(rule: str) -> QuerySet[Finding]:
    return Finding.objects.filter(rule=rule, gone_at=None)


def _line(rule: str) -> list[str]:
    there = _there(rule)
    tiers = ("central_fen", "provincial_fen", "municipal_fen")
    at_stake = there.aggregate(*(Sum(tier, default=0) for tier in tiers))
    return [
        str(Finding.Rule(rule).label),
        *(str(there.filter(severity=severity).count()) for severity in Finding.Severity.values),
        str(there.filter(state=Finding.State.OPEN).count()),
        yuan(sum(at_stake.values())),
    ]
