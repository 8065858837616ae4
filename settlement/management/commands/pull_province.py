"""`pull_province`: ask systems of provinces for bank lists and review results."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from settlement.models import ProvinceSystem
from settlement.services import province_pulls


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = (
        "向省级贴息系统取回合作银行名单和审核结果，可重复、可同时执行"
        " / ask subsidy systems of provinces for bank lists and review results, as often as you like"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which system; all of them by default."""
        super().add_arguments(parser)
        parser.add_argument("system", nargs="?", metavar="SYSTEM", help="系统编码 / its code")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, print what came of it, and exit 1 where something stands in the way."""
        self.require_everywhere(options)
        found = ProvinceSystem.objects.filter(is_active=True).order_by("code")
        if options["system"]:
            found = found.filter(code=options["system"])
            if not found:
                raise CommandError(
                    f"没有启用的系统：{options['system']} / no such active system", returncode=2
                )
        problems = 0
        for system in found:
            pulled = province_pulls.pull(system_id=system.pk, clock=now)
            self.stdout.write(
                f"{system.code}: 回传 answers {pulled.answers}, 行 rows {pulled.rows},"
                f" 新增 new {pulled.inserted}"
            )
            for problem in pulled.problems:
                self.stderr.write(f"{system.code}: {problem}")
            problems += len(pulled.problems)
        if problems:
            raise CommandError(f"{problems} 个问题，未取回 / {problems} problems: not taken in")
