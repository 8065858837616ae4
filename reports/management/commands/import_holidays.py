"""`import_holidays FILE`: the days off and make-up working days of a year, as published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from reports.services import obligations
from reports.services.holidays import HolidaysRefused, import_days


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = (
        "导入节假日与调休（日期、类别 班/休、名称、文号），全部成功或全部不保存"
        " / take days off and make-up working days in, all or nothing"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The file and how to read it."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--encoding", help="强制编码，如 gb18030 / force an encoding")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it in and bring deadlines up to date, or print every problem and exit 1."""
        if not options["file"].is_file():
            raise CommandError(f"没有这个文件：{options['file']} / no such file", returncode=2)
        self.require_everywhere(options)
        try:
            taken = import_days(path=options["file"], encoding=options["encoding"])
        except HolidaysRefused as refused:
            for problem in refused.problems:
                self.stderr.write(str(problem))
            raise CommandError(refused.message) from refused
        self.stdout.write(
            f"holidays: {taken.rows} 行 rows, 新增 new {taken.inserted}, 更正 corrected "
            f"{taken.corrected}, 未变 unchanged {taken.rows - taken.inserted - taken.corrected}"
        )
        for year, missing in taken.missing.items():
            self.stderr.write(
                f"{year} 年尚缺 {'、'.join(missing)}，补齐前不计算该年的截止日 / these holidays of the year "
                "are still missing: its deadlines are not worked out before they are brought in"
            )
        brought = obligations.refresh(today=now().date())
        self.stdout.write(
            f"报送事项 obligations: 新增 new {brought.inserted}, 更新 updated {brought.updated}"
        )
        for problem in brought.problems:
            self.stderr.write(problem)
