"""`payouts`: put what is due into batches, and show where every pay-out stands."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from settlement.management.tables import table, yuan
from settlement.selectors.payout_states import standings
from settlement.services.payout_batches import check_batch, prepare
from settlement.services.schemes import terms_in_force

WORDS = {
    "waiting": "待拨付 waiting",
    "prepared": "批次待复核 prepared",
    "sent": "已发出 sent",
    "failed": "拨付失败 failed",
    "paid": "已拨付 paid",
}
HEADER = [
    "状态 state", "笔数 count", "金额 yuan", "逾期笔数 overdue", "逾期金额 overdue yuan",
    "最长逾期天数 oldest days",
]  # fmt: skip


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = "生成拨付批次并汇总拨付与逾期，可重复 / batch what is due and show what is overdue; repeat it as you like"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which day and policy."""
        super().add_arguments(parser)
        parser.add_argument("--scheme", help="贴息政策代码 / scheme code")
        parser.add_argument(
            "--day",
            type=date.fromisoformat,
            help="拨付日，默认今天 / due by this day; today by default",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the batches, send them if checks are automatic, and print the summary."""
        if options["scheme"] not in (None, *terms_in_force().scheme_ids):
            raise CommandError(f"未装载的贴息政策：{options['scheme']} / unknown scheme")
        at, scope, checker = now(), self.scope(options), self.checker()
        day = options["day"] or at.date()
        made = prepare(
            day=day, actor=self.actor(options), at=at, scope=scope, scheme=options["scheme"]
        )
        for batch_id in made:
            if checker is not None:
                check_batch(batch_id=batch_id, actor=checker, at=at)
            state = "待复核 to be checked" if checker is None else "已复核发出 sent"
            self.stdout.write(f"拨付批次 batch #{batch_id}: {state}")
        if not made:
            self.stdout.write("没有可拨付的记录 / nothing to pay out")
        lines = [
            [
                WORDS[one.state], str(one.count), yuan(one.fen), str(one.overdue_count),
                yuan(one.overdue_fen), str(one.oldest_days),
            ]
            for one in standings(day=day, scope=scope)
        ]  # fmt: skip
        self.stdout.write(table(HEADER, lines))
