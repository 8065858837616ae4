"""`import_data KIND FILE`: take one file of facts in, whole or not at all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from loans.files.kinds import KINDS
from loans.services import confirmations
from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused, Outcome


def describe(outcome: Outcome) -> str:
    """One line for a file that was taken in."""
    return (
        f"{outcome.kind}: {outcome.rows} 行 rows, 新增 new {outcome.inserted}, "
        f"更正 corrected {outcome.corrected}, 未变 unchanged {outcome.unchanged}"
    )


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = "导入一个文件（CSV 或 XLSX），全部成功或全部不保存 / import one file, all or nothing"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Kind, file and how to read it."""
        super().add_arguments(parser)
        parser.add_argument("kind", choices=list(KINDS), metavar="KIND", help=", ".join(KINDS))
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="只检查不保存 / check only")
        parser.add_argument("--encoding", help="强制编码，如 gb18030 / force an encoding")
        parser.add_argument(
            "--confirm-uscc",
            action="store_true",
            help="确认校验位不符的统一社会信用代码确实存在 / confirm codes that fail their check digit",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, or print every problem and exit 1."""
        if not options["file"].is_file():
            raise CommandError(f"没有这个文件：{options['file']} / no such file", returncode=2)
        try:
            outcome = import_file(
                kind=options["kind"],
                path=options["file"],
                actor=self.actor(options),
                scope=self.scope(options),
                at=now(),
                encoding=options["encoding"],
                dry_run=options["dry_run"],
                confirming=confirmations.Confirming(checker=self.checker())
                if options["confirm_uscc"]
                else None,
            )
        except ImportRefused as refused:
            for problem in refused.problems:
                self.stderr.write(str(problem))
            raise CommandError(refused.message) from refused
        suffix = "（试运行，未保存 / dry run, nothing saved）" if options["dry_run"] else ""
        self.stdout.write(describe(outcome) + suffix)
