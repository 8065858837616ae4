"""`import_portfolio FOLDER`: every kind found in a folder, in the order they depend on each other."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now, progress
from loans.files.kinds import KINDS
from loans.management.commands.import_data import describe
from loans.services import confirmations
from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused


def portfolio_files(folder: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """(kind, file) for each kind a folder holds, in import order; and spreadsheets of no kind."""
    found: dict[str, Path] = {}
    unknown: list[str] = []
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        kind = path.stem.lower()
        if path.suffix.lower() not in (".csv", ".xlsx") or path.name.startswith((".", "~$")):
            continue
        if kind not in KINDS:
            unknown.append(path.name)
        elif kind in found:
            raise CommandError(f"{path.name}: 与 {found[kind].name} 重复 / two files of one kind")
        else:
            found[kind] = path
    return [(kind, found[kind]) for kind in KINDS if kind in found], unknown


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = (
        "导入一个文件夹内的全部文件，每个文件一个事务 / import a folder, one transaction per file"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The folder."""
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument(
            "--confirm-uscc",
            action="store_true",
            help="确认校验位不符的统一社会信用代码 / confirm codes that fail their check digit",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import each file; stop at the first that is refused."""
        files, unknown = portfolio_files(options["folder"])
        for name in unknown:
            self.stderr.write(f"{name}: 文件名不是数据类别，未导入 / names no kind, left out")
        if not files:
            raise CommandError(
                f"文件夹 {options['folder']} 中没有可导入的文件（如 notes.csv）"
                " / no importable file in this folder",
                returncode=2,
            )
        actor, scope = self.actor(options), self.scope(options)
        confirming = (
            confirmations.Confirming(checker=self.checker()) if options["confirm_uscc"] else None
        )
        with progress("导入 import", total=len(files)) as bar:
            for kind, path in files:
                try:
                    outcome = import_file(
                        kind=kind,
                        path=path,
                        actor=actor,
                        scope=scope,
                        at=now(),
                        allow_empty=True,
                        confirming=confirming,
                    )
                except ImportRefused as refused:
                    for problem in refused.problems:
                        self.stderr.write(f"{path.name}: {problem}")
                    raise CommandError(f"{path.name}: {refused.message}") from refused
                bar.update()
                self.stdout.write(describe(outcome))
