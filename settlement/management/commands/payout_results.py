"""`payout_results FILE`: what the payment system answered to the batches sent."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from settlement.services.payout_results import ResultsRefused, take_results


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = "导入拨付结果，全部成功或全部不保存 / take pay-out results in, all or nothing"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The file and how to read it."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--encoding", help="强制编码，如 gb18030 / force an encoding")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it in, or print every problem and exit 1."""
        if not options["file"].is_file():
            raise CommandError(f"没有这个文件：{options['file']} / no such file", returncode=2)
        try:
            taken = take_results(
                path=options["file"],
                actor=self.actor(options),
                at=now(),
                scope=self.scope(options),
                encoding=options["encoding"],
            )
        except ResultsRefused as refused:
            for problem in refused.problems:
                self.stderr.write(str(problem))
            raise CommandError(refused.message) from refused
        self.stdout.write(
            f"payout-results: {taken.rows} 行 rows, 新增 new {taken.inserted}, "
            f"未变 unchanged {taken.rows - taken.inserted}"
        )
